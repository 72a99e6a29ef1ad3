import type { ExperimentCounts } from '@turnout/contracts/results';
import { expect, test } from 'vitest';
import { visitorsPerDay } from './traffic.ts';

function counts(firstExposure: string | undefined, days: Record<string, number>): ExperimentCounts {
  return {
    experiment: 'home',
    phase: 1,
    metric: 'signup',
    ...(firstExposure !== undefined && { firstExposure }),
    variants: [],
    slices: Object.entries(days).map(([value, exposed]) => ({
      by: 'day',
      value,
      variants: [
        {
          variant: 'control',
          exposed,
          fallback: 0,
          confirmed: 0,
          reported: 0,
          conversions: 0,
          confirmedConversions: 0,
          value: 0,
          valueSquared: 0,
        },
      ],
    })),
    inTwoVariants: 0,
    bots: 0,
  };
}

const NOW = new Date('2026-11-24T12:00:00Z');

test('traffic is that of the last week', () => {
  const days = { '2026-11-01': 9_000, '2026-11-18': 650, '2026-11-24': 650 };
  expect(visitorsPerDay(counts('2026-11-01T00:00:00Z', days), NOW)).toBe(200);
});

test('of an experiment that began since, it is that since then', () => {
  expect(visitorsPerDay(counts('2026-11-24T00:00:00Z', { '2026-11-24': 50 }), NOW)).toBe(100);
});

test('nobody at all is no traffic', () => {
  expect(visitorsPerDay(counts(undefined, {}), NOW)).toBe(0);
  expect(visitorsPerDay(counts('2026-11-01T00:00:00Z', { '2026-11-01': 5 }), NOW)).toBe(0);
});
