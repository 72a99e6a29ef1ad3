import { describe, expect, test } from 'vitest';
import type { CountedSlice } from '../repository/results-repository.ts';
import { segmentsOf, splitSlices, stagesOf } from './segments.ts';

function slice(changes: Partial<CountedSlice>): CountedSlice {
  return {
    by: 'edge',
    slice: 'edge-1',
    variant: 'control',
    revision: 1,
    exposed: 10,
    fallback: 2,
    confirmed: 8,
    reported: 5,
    conversions: 3,
    confirmedConversions: 1,
    inTwoVariants: 0,
    value: 0,
    valueSquared: 0,
    ...changes,
  };
}

const HALVES = new Map([
  ['control', 50],
  ['A', 50],
]);
const TENTH = new Map([
  ['control', 90],
  ['A', 10],
]);
/** Revision 3 is the one that changed the weights. */
const weightsAt = (revision: number) => (revision < 3 ? TENTH : HALVES);

describe('segments', () => {
  const slices = [
    slice({ revision: 1 }),
    slice({ revision: 2, variant: 'A' }),
    slice({ revision: 3, slice: 'edge-2' }),
    slice({ by: 'day', slice: '2026-11-24', exposed: 30 }),
  ];

  test('are cut where weights change, and nowhere else', () => {
    expect(segmentsOf(slices, weightsAt, 3, 'raw')).toEqual([
      {
        arms: [
          { key: 'control', weight: 90, visitors: 10, conversions: 3 },
          { key: 'A', weight: 10, visitors: 10, conversions: 3 },
        ],
      },
      {
        arms: [
          { key: 'control', weight: 50, visitors: 10, conversions: 3 },
          { key: 'A', weight: 50, visitors: 0, conversions: 0 },
        ],
      },
    ]);
  });

  test('of the confirmed count those who came back', () => {
    const [first] = segmentsOf(slices, weightsAt, 3, 'confirmed');
    expect(first?.arms[0]).toMatchObject({ visitors: 8, conversions: 1 });
  });

  test('in which nobody came are left out, but for the present one', () => {
    expect(segmentsOf([slice({ revision: 3 })], weightsAt, 3, 'raw')).toHaveLength(1);
    expect(segmentsOf([], weightsAt, 3, 'raw')).toEqual([
      {
        arms: [
          { key: 'control', weight: 50, visitors: 0, conversions: 0 },
          { key: 'A', weight: 50, visitors: 0, conversions: 0 },
        ],
      },
    ]);
  });

  test('hold variants that the document does not have, as taking nobody', () => {
    const [only] = segmentsOf([slice({ revision: 3, variant: 'B' })], weightsAt, 3, 'raw');
    expect(only?.arms).toContainEqual({ key: 'B', weight: 0, visitors: 10, conversions: 3 });
  });
});

test('stages count who got that far', () => {
  expect(stagesOf([slice({}), slice({ variant: 'A' }), slice({ slice: 'edge-2' })])).toEqual([
    { stage: 'assigned', visitors: { control: 20, A: 10 } },
    { stage: 'served', visitors: { control: 16, A: 8 } },
    { stage: 'confirmed', visitors: { control: 16, A: 8 } },
    { stage: 'reported', visitors: { control: 10, A: 5 } },
  ]);
});

test('a slice that mixes revisions is held against the weights of each', () => {
  const { day } = splitSlices(
    [
      slice({ by: 'day', slice: '2026-11-24', revision: 1, exposed: 100 }),
      slice({ by: 'day', slice: '2026-11-24', revision: 3, variant: 'A', exposed: 40 }),
    ],
    weightsAt,
  );
  expect(day).toEqual([
    {
      value: '2026-11-24',
      visitors: { control: 100, A: 40 },
      weights: { control: 100 * 90 + 40 * 50, A: 100 * 10 + 40 * 50 },
    },
  ]);
});
