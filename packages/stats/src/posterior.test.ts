import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gaussLegendre } from './gauss-legendre.ts';
import { posteriors } from './posterior.ts';

const proportion = fc
  .oneof(fc.tuple(fc.nat(30), fc.nat(30)), fc.tuple(fc.nat(1_000_000), fc.nat(1_000_000)))
  .map(([a, b]) => ({ count: Math.min(a, b), total: Math.max(a, b) }));

describe('posteriors', () => {
  test('one of all is the best, and what is not lost to one side is lost to the other', () => {
    fc.assert(
      fc.property(fc.array(proportion, { minLength: 2, maxLength: 5 }), (arms) => {
        const all = posteriors(arms);
        const best = arms.map((_, index) => all.of(index).chanceToBeBest);
        expect(best.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9);
        const pair = all.compare(0, 1);
        expect(pair.chanceToBeatControl + pair.chanceToLoseToControl).toBeCloseTo(1, 9);
        const means = arms.map(({ count, total }) => (count + 1) / (total + 2));
        // E[max(C − V, 0)] − E[max(V − C, 0)] = E[C − V]
        expect(pair.expectedLossOfVariant - pair.expectedLossOfControl).toBeCloseTo(
          (means[0] ?? 0) - (means[1] ?? 0),
          9,
        );
        for (const index of arms.keys())
          expect(all.of(index).expectedLoss).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('swapping control and variant swaps chances and losses', () => {
    fc.assert(
      fc.property(proportion, proportion, (first, second) => {
        const there = posteriors([first, second]).compare(0, 1);
        const back = posteriors([second, first]).compare(0, 1);
        expect(there.chanceToBeatControl).toBeCloseTo(back.chanceToLoseToControl, 12);
        expect(there.expectedLossOfVariant).toBeCloseTo(back.expectedLossOfControl, 12);
      }),
    );
  });

  test('one arm is the best for sure, and loses nothing', () => {
    expect(posteriors([{ count: 3, total: 10 }]).of(0)).toEqual({
      chanceToBeBest: expect.closeTo(1, 12),
      expectedLoss: 0,
    });
  });

  // (1/101)! ways: of Beta(1, 1e8 + 1) above Beta(101, 999901); exact, by a finite sum of 60 digits.
  test('keep the digits of chances that are all but none', () => {
    const { chanceToLoseToControl } = posteriors([
      { count: 0, total: 100_000_000 },
      { count: 100, total: 1_000_000 },
    ]).compare(0, 1);
    expect(chanceToLoseToControl / 3.642_61e-203).toBeCloseTo(1, 5);
  });
});

test('Gauss–Legendre quadrature is exact up to degree 31', () => {
  const points = gaussLegendre(16);
  for (let degree = 0; degree <= 31; degree++) {
    const integral = points.reduce((sum, { at, weight }) => sum + weight * at ** degree, 0);
    expect(integral).toBeCloseTo(degree % 2 === 0 ? 2 / (degree + 1) : 0, 13);
  }
});
