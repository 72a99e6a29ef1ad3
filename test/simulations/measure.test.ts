// The same as `pnpm simulate:statistics`, small: fixed seeds, so that it always ends alike.

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, test } from 'vitest';
import { binomialSampler } from './binomial.ts';
import { LOOKS, experimentRunner } from './experiment.ts';
import { brokenSplits, coverage, falsePositives } from './measure.ts';

describe('of experiments without a difference', () => {
  test.each([0.005, 0.03, 0.2, 0.5])('few are called, at a rate of %d', (rate) => {
    const { alwaysValid, hybrid, naive } = falsePositives(rate, 300, 1);
    expect(alwaysValid).toBeLessThanOrEqual(0.05);
    expect(hybrid).toBeLessThanOrEqual(0.0565);
    // It has teeth: whoever looks a hundred times by a z-test is fooled.
    expect(naive).toBeGreaterThan(0.25);
  });
});

test('visitors who went missing are noticed, and nobody is missed who did not', () => {
  expect(brokenSplits(0.05, 200, 2).broken).toBeGreaterThanOrEqual(0.99);
  expect(brokenSplits(0, 200, 3).broken).toBe(0);
});

test('the confidence sequence holds the truth at every look', () => {
  const { always, last } = coverage(0.03, 0.2, 60, 4);
  expect(always).toBeGreaterThanOrEqual(0.95);
  expect(last).toBeGreaterThanOrEqual(always);
});

describe('the simulated experiments', () => {
  // χ² of the outcomes against the exact chances, which are computed in another way here.
  test.each([
    [40, 0.3],
    [1_000, 0.005],
    [1_000, 0.5],
  ])('binomial numbers of %d by %d are as they should be', (size, chance) => {
    const draws = 50_000;
    const generator = xoroshiro128plus(5);
    const binomial = binomialSampler(() => uniformFloat64(generator));
    const seen = new Map<number, number>();
    for (let draw = 0; draw < draws; draw++) {
      const outcome = binomial(size, chance);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
    let logChance = size * Math.log1p(-chance);
    let chiSquare = 0;
    let cells = 0;
    for (let outcome = 0; outcome <= size; outcome++) {
      const expected = draws * Math.exp(logChance);
      if (expected > 10) {
        chiSquare += ((seen.get(outcome) ?? 0) - expected) ** 2 / expected;
        cells += 1;
      }
      logChance += Math.log((size - outcome) / (outcome + 1)) + Math.log(chance / (1 - chance));
    }
    expect(cells).toBeGreaterThan(10);
    // Five standard deviations of a χ² with so many degrees of freedom.
    expect(chiSquare).toBeLessThan(cells + 5 * Math.sqrt(2 * cells));
  });

  test('split and convert as their truth says', () => {
    const truth = { weights: [0.2, 0.3, 0.5], rates: [0.1, 0.2, 0.3] };
    const run = experimentRunner(truth, 6);
    const totals = truth.weights.map(() => ({ visitors: 0, conversions: 0 }));
    for (let experiment = 0; experiment < 10; experiment++) {
      run((arms, look) => {
        if (look !== LOOKS - 1) return;
        for (const [index, total] of totals.entries()) {
          total.visitors += arms[index]?.visitors ?? 0;
          total.conversions += arms[index]?.conversions ?? 0;
        }
      });
    }
    const all = totals.reduce((sum, { visitors }) => sum + visitors, 0);
    expect(all).toBe(1_000_000);
    for (const [index, { visitors, conversions }] of totals.entries()) {
      expect(visitors / all).toBeCloseTo(truth.weights[index] ?? 0, 2);
      expect(conversions / visitors).toBeCloseTo(truth.rates[index] ?? 0, 2);
    }
  });
});
