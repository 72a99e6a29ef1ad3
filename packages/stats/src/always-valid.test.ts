import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConversionSegment } from './always-valid.ts';
import { confidenceSequence, likeliestLift, logBayesFactor, sequentialP } from './always-valid.ts';
import { present } from './test-figures.ts';

const count = fc.oneof(fc.nat(20), fc.nat(10_000), fc.nat(100_000_000));
const weight = fc.double({ min: 0.001, max: 1, noNaN: true });
const segment = fc.record({
  controlWeight: weight,
  variantWeight: weight,
  controlConversions: count,
  variantConversions: count,
});
const kappa = fc.constantFrom(0.5, 8, 100, 1000, 1_000_000);
const alpha = fc.constantFrom(0.2, 0.05, 0.01, 1e-6, 1e-300);

/** What rounding may do to a log Bayes factor of this many conversions. */
const slack = (segments: readonly ConversionSegment[]): number =>
  1e-9 +
  segments.reduce((sum, each) => sum + each.controlConversions + each.variantConversions, 0) *
    1e-14;

describe('one segment', () => {
  test('a lift is in the sequence if and only if its Bayes factor is below 1 / alpha', () => {
    fc.assert(
      fc.property(segment, kappa, alpha, (one, weighs, error) => {
        const limits = present(confidenceSequence([one], weighs, error));
        const factor = logBayesFactor([one], weighs, 0);
        fc.pre(Math.abs(factor + Math.log(error)) > slack([one]));
        const isInside = limits.low <= 0 && (limits.high === null || limits.high >= 0);
        expect(isInside).toBe(factor < -Math.log(error));
        // The p underflows with the factor.
        expect(isInside).toBe(sequentialP(factor) > error);
      }),
    );
  });

  test('the sequence contains the likeliest lift, and widens as alpha falls', () => {
    fc.assert(
      fc.property(segment, kappa, (one, weighs) => {
        const estimate = likeliestLift([one]);
        // Without conversions of control it is infinite, and so is the limit.
        const likeliest = estimate ?? Infinity;
        let inner = present(confidenceSequence([one], weighs, 0.2));
        fc.pre(one.controlConversions + one.variantConversions > 0);
        expect(inner.low).toBeLessThanOrEqual(likeliest);
        expect(inner.high ?? Infinity).toBeGreaterThanOrEqual(likeliest);
        for (const error of [0.05, 1e-3, 1e-12]) {
          const outer = present(confidenceSequence([one], weighs, error));
          expect(outer.low).toBeGreaterThanOrEqual(-1);
          expect(outer.low).toBeLessThanOrEqual(inner.low);
          expect(outer.high ?? Infinity).toBeGreaterThanOrEqual(inner.high ?? Infinity);
          inner = outer;
        }
      }),
    );
  });

  test('swapping control and variant turns the ratio around', () => {
    fc.assert(
      fc.property(segment, kappa, (one, weighs) => {
        const swapped = {
          controlWeight: one.variantWeight,
          variantWeight: one.controlWeight,
          controlConversions: one.variantConversions,
          variantConversions: one.controlConversions,
        };
        expect(
          Math.abs(logBayesFactor([one], weighs, 0) - logBayesFactor([swapped], weighs, 0)),
        ).toBeLessThanOrEqual(slack([one]));
        const limits = present(confidenceSequence([one], weighs, 0.05));
        const turned = present(confidenceSequence([swapped], weighs, 0.05));
        expect(limits.high !== null || turned.low === -1).toBe(true);
        // A low limit next to -1 has no digits left to compare.
        fc.pre(limits.high !== null && turned.low > -0.999);
        expect((1 + (limits.high ?? Infinity)) * (1 + turned.low)).toBeCloseTo(1, 6);
      }),
    );
  });

  test('does not depend on the scale of the weights, nor on arms that are not compared', () => {
    const one = {
      controlWeight: 0.2,
      variantWeight: 0.3,
      controlConversions: 70,
      variantConversions: 140,
    };
    const scaled = { ...one, controlWeight: 20, variantWeight: 30 };
    expect(logBayesFactor([scaled], 100, 0)).toBeCloseTo(logBayesFactor([one], 100, 0), 12);
  });

  test('says more the farther the conversions are from the weights', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), kappa, (conversions, more, weighs) => {
        const factor = (variantConversions: number): number =>
          logBayesFactor(
            [
              {
                controlWeight: 1,
                variantWeight: 1,
                controlConversions: conversions,
                variantConversions,
              },
            ],
            weighs,
            0,
          );
        // Twice as far with more of them, too.
        fc.pre(more > 4 * Math.sqrt(conversions + 1));
        expect(factor(conversions + 2 * more)).toBeGreaterThan(factor(conversions + more));
      }),
    );
  });

  // Under the truth the expected Bayes factor is 1, at every number of conversions.
  test('is fair against the true lift', () => {
    for (const [controlWeight, variantWeight, lift] of [
      [1, 1, 0],
      [0.2, 0.5, 0.2],
      [3, 1, -0.4],
    ] as const) {
      const theta = (variantWeight * (1 + lift)) / (controlWeight + variantWeight * (1 + lift));
      for (const conversions of [1, 10, 200]) {
        let mean = 0;
        let chance = (1 - theta) ** conversions;
        for (let variantConversions = 0; variantConversions <= conversions; variantConversions++) {
          const one = {
            controlWeight,
            variantWeight,
            controlConversions: conversions - variantConversions,
            variantConversions,
          };
          mean += chance * Math.exp(logBayesFactor([one], 100, lift));
          chance *=
            ((conversions - variantConversions) / (variantConversions + 1)) * (theta / (1 - theta));
        }
        expect(mean).toBeCloseTo(1, 9);
      }
    }
  });

  test('without conversions nothing is excluded', () => {
    const none = {
      controlWeight: 1,
      variantWeight: 1,
      controlConversions: 0,
      variantConversions: 0,
    };
    expect(logBayesFactor([none], 100, 0)).toBe(0);
    expect(sequentialP(0)).toBe(1);
    expect(likeliestLift([none])).toBeNull();
    expect(confidenceSequence([none], 100, 0.05)).toEqual({ low: -1, high: null });
    expect(confidenceSequence([], 100, 0.05)).toEqual({ low: -1, high: null });
  });
});

describe('several segments', () => {
  test('log Bayes factors add up', () => {
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), kappa, (segments, weighs) => {
        const sum = segments.reduce((all, one) => all + logBayesFactor([one], weighs, 0.1), 0);
        expect(Math.abs(logBayesFactor(segments, weighs, 0.1) - sum)).toBeLessThanOrEqual(
          10 * slack(segments),
        );
      }),
    );
  });

  // Two periods, the second with a high season and a larger share for the variant: pooled, it
  // would look better than it is.
  test('a changed weight pulls nothing askew', () => {
    const segments = [
      { controlWeight: 9, variantWeight: 1, controlConversions: 9_000, variantConversions: 1_000 },
      {
        controlWeight: 1,
        variantWeight: 1,
        controlConversions: 40_000,
        variantConversions: 40_000,
      },
    ];
    expect(likeliestLift(segments)).toBeCloseTo(0, 9);
    const limits = present(confidenceSequence(segments, 100, 0.05));
    expect(limits.low).toBeLessThan(0);
    expect(limits.high).toBeGreaterThan(0);
  });

  test('that contradict each other leave no lift', () => {
    const segments = [
      { controlWeight: 1, variantWeight: 1, controlConversions: 1_000, variantConversions: 3_000 },
      { controlWeight: 1, variantWeight: 1, controlConversions: 3_000, variantConversions: 1_000 },
    ];
    expect(confidenceSequence(segments, 100, 0.05)).toBeUndefined();
    expect(Number.isFinite(logBayesFactor(segments, 100, 0))).toBe(true);
  });

  test('whatever is counted, limits are numbers', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), kappa, alpha, (segments, weighs, error) => {
        const limits = confidenceSequence(segments, weighs, error);
        fc.pre(limits !== undefined);
        expect(limits.low).toBeGreaterThanOrEqual(-1);
        expect(limits.high === null || Number.isFinite(limits.high)).toBe(true);
        expect(limits.high ?? Infinity).toBeGreaterThanOrEqual(limits.low);
      }),
    );
  });
});
