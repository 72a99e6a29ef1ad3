import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/statistics.json' with { type: 'json' };
import { differenceLowerLimit, lowerLimit, upperLimit } from './proportion.ts';
import type { Proportion } from './proportion.ts';

const proportion = fc
  .tuple(fc.nat(1_000_000), fc.nat(1_000_000))
  .map(([a, b]): Proportion => ({ count: Math.min(a, b), total: Math.max(a, b) }));
const sample = proportion.filter(({ total }) => total > 0);
/** Of sums of doubles. */
const ROUNDING = 1e-12;

const confidence = fc.double({ min: 0.5, max: 0.999_999, noNaN: true });

describe('limits of a proportion', () => {
  test.each(cases.proportions)('are those of the reference for $count of $total', (reference) => {
    const [low = 0, high = 0] = reference.clopperPearson95;
    expect(lowerLimit(reference, 0.975)).toBeCloseTo(low, 9);
    expect(upperLimit(reference, 0.975)).toBeCloseTo(high, 9);
  });

  test('enclose what was seen, and are the same from either side', () => {
    fc.assert(
      fc.property(proportion, confidence, ({ count, total }, sure) => {
        const seen = total === 0 ? 0.5 : count / total;
        const low = lowerLimit({ count, total }, sure);
        const high = upperLimit({ count, total }, sure);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(seen);
        expect(high).toBeGreaterThanOrEqual(seen);
        expect(high).toBeLessThanOrEqual(1);
        expect(upperLimit({ count: total - count, total }, sure)).toBeCloseTo(1 - low, 6);
      }),
    );
  });

  test('miss the truth no more often than they say, at any sample size', () => {
    for (const total of [1, 2, 3, 10, 40]) {
      for (const truth of [0.001, 0.01, 0.1, 0.5, 0.9]) {
        const missed = chanceThat(
          total,
          truth,
          (count) => lowerLimit({ count, total }, 0.99) > truth,
        );
        expect(missed, `${total} of ${truth}`).toBeLessThanOrEqual(0.01 + ROUNDING);
      }
    }
  });

  test('say nothing of nobody', () => {
    expect([
      lowerLimit({ count: 0, total: 0 }, 0.9),
      upperLimit({ count: 0, total: 0 }, 0.9),
    ]).toEqual([0, 1]);
  });

  test.each([
    [{ count: 2, total: 1 }, 0.9],
    [{ count: -1, total: 1 }, 0.9],
    [{ count: 0.5, total: 1 }, 0.9],
    [{ count: Number.NaN, total: 1 }, 0.9],
    [{ count: 1, total: 1 }, 1],
    [{ count: 1, total: 1 }, Number.NaN],
  ])('refuse %j at %d', (bad, sure) => {
    expect(() => lowerLimit(bad, sure)).toThrow(RangeError);
    expect(() => upperLimit(bad, sure)).toThrow(RangeError);
  });
});

describe('the lower limit of a difference', () => {
  test('is below the difference, never NaN, and within [-1, 1]', () => {
    fc.assert(
      fc.property(sample, sample, confidence, (above, below, sure) => {
        const limit = differenceLowerLimit(above, below, sure);
        expect(limit).toBeGreaterThanOrEqual(-1);
        expect(limit).toBeLessThanOrEqual(1);
        expect(limit).toBeLessThanOrEqual(above.count / above.total - below.count / below.total);
      }),
    );
  });

  test('comes close to the difference as samples grow', () => {
    const above = { count: 30_000, total: 1_000_000 };
    const below = { count: 10_000, total: 1_000_000 };
    expect(differenceLowerLimit(above, below, 0.999)).toBeGreaterThan(0.019);
  });

  // The reference has Newcombe's interval with Wilson's limits; with exact ones it is wider.
  test('lies just below that with Wilson’s limits', () => {
    const limit = differenceLowerLimit({ count: 56, total: 70 }, { count: 48, total: 80 }, 0.975);
    expect(limit).toBeGreaterThan(0.03);
    expect(limit).toBeLessThan(0.0524);
  });

  test('one error of three is no evidence', () => {
    const one = { count: 1, total: 3 };
    expect(differenceLowerLimit(one, { count: 0, total: 10_000 }, 0.999)).toBeLessThan(0.01);
  });

  test('misses the truth no more often than it says, in samples as small as ours', () => {
    for (const [first, second] of [
      [3, 3],
      [5, 40],
      [40, 5],
      [30, 30],
    ] as const) {
      for (const [high, low] of [
        [0.01, 0.01],
        [0.1, 0.01],
        [0.3, 0.3],
        [0.6, 0.2],
      ] as const) {
        const missed = chanceThat(first, high, (count) =>
          chanceThat(second, low, (other) => {
            const above = { count, total: first };
            return differenceLowerLimit(above, { count: other, total: second }, 0.99) > high - low;
          }),
        );
        expect(missed, `${first} of ${high}, ${second} of ${low}`).toBeLessThanOrEqual(
          0.01 + ROUNDING,
        );
      }
    }
  });
});

/** The chance of an event by how often something with this probability happens in `total` tries. */
function chanceThat(
  total: number,
  probability: number,
  event: (count: number) => boolean | number,
): number {
  let chance = 0;
  let binomial = (1 - probability) ** total;
  for (let count = 0; count <= total; count++) {
    chance += binomial * Number(event(count));
    binomial *= ((total - count) / (count + 1)) * (probability / (1 - probability));
  }
  return chance;
}
