// The linter keeps the parts of the project apart. Each case is a file that oxlint must
// refuse, or must accept.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

const refused: readonly [file: string, imports: string][] = [
  ['packages/proxy/src/x.ts', '@turnout/router-core'],
  ['packages/proxy/src/x.ts', '../../router-core/src/index.ts'],
  ['packages/router-core/src/x.ts', '@turnout/proxy'],
  ['packages/router-core/src/redis/x.ts', '@turnout/proxy'],
  ['packages/router-core/src/x.ts', 'ioredis'],
  ['packages/router-core/src/embedded/x.ts', 'ioredis'],
  ['packages/router-core/src/x.ts', 'undici'],
  ['packages/contracts/src/x.ts', '@turnout/edge'],
  ['packages/contracts/src/x.ts', '../../../apps/api/src/app.ts'],
  ['packages/cli/src/x.ts', '@turnout/api'],
  ['packages/cli/src/x.ts', 'ioredis'],
  ['packages/new-one/src/x.ts', 'ioredis'],
  ['packages/event-log/src/x.ts', 'ioredis'],
  ['packages/event-log/src/embedded/x.ts', 'ioredis'],
  ['packages/event-log/src/redis/x.ts', '@turnout/edge'],
  ['packages/stats/src/x.ts', 'node:fs'],
  ['packages/stats/src/x.ts', 'zod'],
  ['packages/stats/src/x.ts', '@turnout/contracts'],
  ['packages/stats/src/x.ts', '../../contracts/src/index.ts'],
  ['apps/edge/src/x.ts', '@turnout/api'],
  ['apps/edge/src/x.ts', '../../api/src/app.ts'],
  ['apps/edge/src/x.ts', 'ioredis'],
  ['apps/edge/src/x.ts', 'undici'],
  ['apps/edge/src/x.ts', 'http-proxy-3'],
  ['apps/api/src/x.ts', '@turnout/edge'],
  ['apps/next/src/x.tsx', '../../vue/src/main.ts'],
  ['apps/vue/src/x.ts', '@turnout/next'],
  ['scripts/x.ts', 'undici'],
  ['wordpress/server/x.ts', '@turnout/api'],
];

const accepted: readonly [file: string, imports: string][] = [
  ['apps/edge/src/y.ts', '@turnout/proxy'],
  ['apps/edge/src/y.ts', '@turnout/router-core/redis'],
  ['apps/edge/src/deep/y.ts', '../own-endpoints.ts'],
  ['apps/next/src/y.ts', '@turnout/contracts/product'],
  ['packages/cli/src/y.ts', '@turnout/edge'],
  ['packages/proxy/src/y.ts', 'undici'],
  ['packages/proxy/src/y.ts', 'http-proxy-3'],
  ['packages/router-core/src/redis/y.ts', 'ioredis'],
  ['packages/event-log/src/redis/y.ts', 'ioredis'],
  ['packages/event-log/src/redis/y.ts', '@turnout/router-core/redis-connection'],
  ['packages/stats/src/y.ts', '@stdlib/math-base-special-gammaln'],
  ['packages/stats/src/y.ts', './proportion.ts'],
  ['test/e2e/y.ts', 'ioredis'],
  ['test/bench/y.ts', 'http-proxy-3'],
];

let tree: string;
let report: string;

/** The name under which a case is written, one file each. */
function caseFile([file, imports]: readonly [string, string]): string {
  return file.replace(/([xy])(\.tsx?)$/, `$1-${imports.replace(/\W+/g, '-')}$2`);
}

beforeAll(async () => {
  tree = mkdtempSync(path.join(os.tmpdir(), 'turnout-boundaries-'));
  symlinkSync(path.join(root, '.oxlintrc.json'), path.join(tree, '.oxlintrc.json'));
  for (const one of [...refused, ...accepted]) {
    const file = path.join(tree, caseFile(one));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `import * as it from '${one[1]}';\n\nexport default it;\n`);
  }
  const oxlint = path.join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const args = [oxlint, '--format=unix', '--quiet', '.'];
  // It fails, as it must: the findings are on stdout.
  const { stdout }: { stdout: string } = await promisify(execFile)(process.execPath, args, {
    cwd: tree,
    // Where it finds its type-aware half, which this tree has not installed.
    env: {
      ...process.env,
      PATH: `${path.join(root, 'node_modules', '.bin')}:${process.env['PATH']}`,
    },
  }).catch((failure: { stdout: string }) => failure);
  report = stdout;
});

afterAll(() => rmSync(tree, { recursive: true }));

const isRefused = (one: readonly [string, string]): boolean =>
  report
    .split('\n')
    .some((line) => line.startsWith(`${caseFile(one)}:`) && line.includes('no-restricted-imports'));

test.each(refused)('%s may not import %s', (...one) => {
  expect(isRefused(one)).toBe(true);
});

test.each(accepted)('%s may import %s', (...one) => {
  expect(isRefused(one)).toBe(false);
});
