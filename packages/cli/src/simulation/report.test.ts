import { experimentSchema } from '@turnout/contracts';
import { expect, test } from 'vitest';
import { showSimulation } from './report.ts';

const document = experimentSchema.parse({
  key: 'home',
  status: 'running',
  variants: [
    { key: 'control', upstream: 'site', weight: 50, control: true },
    { key: 'A', upstream: 'site', weight: 50 },
  ],
});

const experiment = {
  experiment: 'home',
  visitors: 2_000,
  before: { A: 500, control: 1_000, holdout: 500 },
  after: { A: 1_100, control: 900 },
  transitions: {
    control: { control: 900, A: 100 },
    A: { A: 500 },
    holdout: { A: 500 },
  },
  moved: 100,
};

test('splits stand side by side, and below them who would move', () => {
  const fresh = { ...experiment, before: {}, after: { A: 1_000, control: 1_000 } };
  const result = {
    requests: 2_000,
    simulation: { visitors: 2_000, experiments: [experiment] },
    newVisitors: { visitors: 2_000, experiments: [fresh] },
  };
  expect(showSimulation(result, [document])).toBe(
    [
      'home',
      '  2,000 visitors',
      '  VARIANT  BEFORE  AFTER  NEW VISITORS',
      '  control    50 %   45 %          50 %',
      '  A          25 %   55 %          50 %',
      '  holdout    25 %    0 %           0 %',
      '  100 of those who have a variant would move:',
      '  FROM     TO  VISITORS  OF FROM',
      '  control  A        100     10 %',
      '  holdout  A        500    100 %',
    ].join('\n'),
  );
});

test('nobody moves', () => {
  const simulation = {
    visitors: 1,
    experiments: [{ ...experiment, transitions: { A: { A: 1 } }, moved: 0 }],
  };
  const shown = showSimulation({ requests: 1, simulation, newVisitors: simulation }, []);
  expect(shown).toMatch(/\n {2}Nobody who has a variant would move\.$/);
});
