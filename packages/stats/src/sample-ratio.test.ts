import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/statistics.json' with { type: 'json' };
import { sampleRatio } from './sample-ratio.ts';
import type { SampleRatio } from './sample-ratio.ts';

describe('the sample ratio', () => {
  test.each(cases.sampleRatio)('of $name is that of the reference', (reference) => {
    const result = tested(sampleRatio(reference.counts, reference.weights));
    expect(result.degreesOfFreedom).toBe(reference.degreesOfFreedom);
    expect(result.chiSquare).toBeCloseTo(reference.chiSquare, 9);
    expect(result.chiSquareP).toBeCloseTo(reference.chiSquareP, 9);
    expect(result.logBayesFactor).toBeCloseTo(reference.logBayesFactor, 6);
    expect(result.p).toBeCloseTo(reference.p, 6);
  });

  test.each(cases.sampleRatioStreams)('of the stream $name is that of the reference', (stream) => {
    const counts = stream.weights.map(() => 0);
    let smallest = 1;
    for (const [day, daily] of stream.daily.entries()) {
      for (const [group, count] of daily.entries()) counts[group] = (counts[group] ?? 0) + count;
      const result = tested(sampleRatio(counts, stream.weights));
      smallest = Math.min(smallest, result.p);
      expect(Math.exp(result.logBayesFactor)).toBeCloseTo(stream.bayesFactor[day] ?? 0, 6);
      expect(smallest).toBeCloseTo(stream.smallestP[day] ?? 0, 6);
      expect(result.chiSquareP).toBeCloseTo(stream.chiSquareP[day] ?? 0, 9);
    }
  });

  // E-values: under the plan the expected Bayes factor is 1 at every sample size.
  test('is fair: the Bayes factor of a fair coin is 1 on average', () => {
    for (const visitors of [1, 7, 100]) {
      let mean = 0;
      let binomial = 0.5 ** visitors;
      for (let heads = 0; heads <= visitors; heads++) {
        const result = tested(sampleRatio([heads, visitors - heads], [1, 1]));
        mean += binomial * Math.exp(result.logBayesFactor);
        binomial *= (visitors - heads) / (heads + 1);
      }
      expect(mean).toBeCloseTo(1, 8);
    }
  });

  test('finds a group that is never counted', () => {
    const result = sampleRatio([1_000, 0], [50, 50]);
    expect(result).toMatchObject({ kind: 'tested', p: expect.closeTo(0, 9) });
  });

  test('is never NaN, and does not depend on the scale of the weights or on the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(100_000_000), fc.integer({ min: 1, max: 10_000 })), {
          minLength: 2,
          maxLength: 20,
        }),
        (groups) => {
          fc.pre(groups.some(([count]) => count > 0));
          const counts = groups.map(([count]) => count);
          const weights = groups.map(([, weight]) => weight);
          const result = tested(sampleRatio(counts, weights));
          for (const figure of [result.p, result.chiSquareP]) {
            expect(figure).toBeGreaterThanOrEqual(0);
            expect(figure).toBeLessThanOrEqual(1);
          }
          expect(Number.isFinite(result.logBayesFactor)).toBe(true);
          const scaled = tested(
            sampleRatio(counts.toReversed(), weights.map((weight) => weight / 7).toReversed()),
          );
          const size = 1 + Math.abs(result.logBayesFactor);
          expect(Math.abs(scaled.logBayesFactor - result.logBayesFactor) / size).toBeLessThan(1e-4);
        },
      ),
    );
  });

  test('says why it can’t be told', () => {
    expect(sampleRatio([0, 0], [1, 1])).toEqual({ kind: 'untestable', reason: 'nobody' });
    expect(sampleRatio([5], [1])).toEqual({ kind: 'untestable', reason: 'one-group' });
    expect(sampleRatio([], [])).toEqual({ kind: 'untestable', reason: 'one-group' });
  });

  test.each([
    [[1], [1, 1]],
    [
      [1, 1],
      [1, 0],
    ],
    [
      [1, 1],
      [1, -1],
    ],
    [
      [1, 1],
      [1, Number.NaN],
    ],
    [
      [1, Number.POSITIVE_INFINITY],
      [1, 1],
    ],
    [
      [1, 0.5],
      [1, 1],
    ],
    [
      [1, -1],
      [1, 1],
    ],
  ])('refuses counts %j with weights %j', (counts, weights) => {
    expect(() => sampleRatio(counts, weights)).toThrow(RangeError);
  });
});

function tested(ratio: SampleRatio): Extract<SampleRatio, { kind: 'tested' }> {
  if (ratio.kind === 'tested') return ratio;
  throw new Error(`expected a tested ratio, got ${ratio.reason}`);
}
