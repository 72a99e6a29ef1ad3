import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most suites wait for processes of their own more than they compute.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{apps,packages,scripts,wordpress}/**/*.test.ts',
            'test/bench/**/*.test.ts',
            'test/simulations/**/*.test.ts',
            'test/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**', '**/.next/**'],
          testTimeout: 30_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        // End to end: real processes, real servers, a real browser. One file at a
        // time, since each starts whole stacks on this machine.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
    ],
  },
});
