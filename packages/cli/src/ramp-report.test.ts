import type { RampState } from '@turnout/contracts/ramp';
import { expect, test } from 'vitest';
import { showRamp } from './ramp-report.ts';

const plain = { style: (_: string, words: string) => words };

const holding: RampState = {
  experiment: 'home',
  status: 'holding',
  steps: [{ coverage: 100, for: 3_600_000 }, { coverage: 10_000 }],
  gates: { minimumRequests: 200, errorRate: 1, firstByte: 2, sampleRatio: 0.001 },
  step: 0,
  before: 0,
  stepSince: '2026-12-01T09:30:00Z',
  nextAt: '2026-12-01T10:30:00Z',
  readings: [
    { gate: 'errorRate', variant: 'A', verdict: 'pass', detail: '0 % of 830 answers were 5xx' },
    { gate: 'firstByte', variant: 'A', verdict: 'fail', detail: '900 ms, control had 80 ms' },
    { gate: 'sampleRatio', verdict: 'too-few', detail: '12 of 200 visitors' },
  ],
  reason: 'no edge answers',
};

test('a ramp under way: the step in force, what comes next, and what the gates say', () => {
  expect(showRamp(holding, plain)).toBe(
    [
      'The ramp of home holds',
      '  no edge answers',
      '  → 1 % for 1h, since 2026-12-01 09:30 UTC, next at 2026-12-01 10:30 UTC',
      '    100 %',
      '    back to 0 % if a gate fails',
      '  ✓ errorRate A: 0 % of 830 answers were 5xx',
      '  ✗ firstByte A: 900 ms, control had 80 ms',
      '  ? sampleRatio: 12 of 200 visitors',
    ].join('\n'),
  );
});

test('one that has ended goes nowhere', () => {
  const { nextAt: _, ...ended } = holding;
  const shown = showRamp({ ...ended, status: 'rolled-back', reason: 'firstByte of A' }, plain);
  expect(shown).toMatch(/^The ramp of home was rolled back\n {2}firstByte of A\n/);
  expect(shown).not.toMatch(/back to|next at/);
});
