// Every figure against programs that share no code with ours: test/cases/README.md names them.

import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/analysis.json' with { type: 'json' };
import { analyze } from './analyze.ts';
import type { Comparison } from './analysis.ts';
import { confidenceSequence, likeliestLift, logBayesFactor, sequentialP } from './always-valid.ts';
import { differenceInterval, liftInterval } from './comparison-intervals.ts';
import type { Figure } from './figure.ts';
import { holm } from './holm.ts';
import { requiredControl } from './power.ts';
import { rateInterval } from './rate.ts';
import { fisherExact, pooledZ } from './single-look.ts';

/** Relative, or the absolute error below it. */
const EXACT = { relative: 1e-9, absolute: 1e-12 };
/** Of the reference in double precision. */
const BAYES_FACTOR = { relative: 0, absolute: 1e-6 };

describe.each(cases.scenarios)('$name', (scenario) => {
  const analyses = new Map(
    [100, 1000].map((kappa) => [
      kappa,
      analyze({ control: scenario.control, kappa, arms: scenario.arms }),
    ]),
  );
  const analysis = analyses.get(100) ?? expect.unreachable();

  test.each(scenario.rates)('rate of $key', ({ key, estimate, wilson }) => {
    const rate = known(analysis.arms.find((arm) => arm.key === key)?.rate ?? expect.unreachable());
    expectClose([rate.estimate, rate.low, rate.high], [estimate, ...wilson]);
  });

  test('posteriors', () => {
    const posterior = analysis.arms.map((arm) => known(arm.posterior));
    expectClose(
      posterior.map((each) => each.chanceToBeBest),
      scenario.posterior.chanceToBeBest,
    );
    expectClose(
      posterior.map((each) => each.expectedLoss),
      scenario.posterior.expectedLoss,
    );
    for (const { key, posterior: reference } of scenario.comparisons) {
      const one = known(comparisonOf(analysis.comparisons, key).posterior);
      expectClose(
        [one.chanceToBeatControl, one.chanceToLoseToControl],
        [reference.chanceToBeatControl, reference.chanceToLoseToControl],
      );
      expectClose(
        [one.expectedLossOfVariant, one.expectedLossOfControl],
        [reference.expectedLossOfVariant, reference.expectedLossOfControl],
      );
    }
  });

  test.each([...scenario.comparisons])('single look at $key', (reference) => {
    const comparison = comparisonOf(analysis.comparisons, reference.key);
    if (reference.z === null) {
      expect(comparison.pooledZ).toEqual({ kind: 'unknown', reason: 'no-variance' });
    } else {
      const { z, p } = known(comparison.pooledZ);
      expectClose([z, p], [reference.z, reference.p]);
    }
    if (comparison.fisher.kind === 'known') expectClose([comparison.fisher.p], [reference.fisherP]);
    else expect(comparison.fisher.reason).toBe('cells-large-enough');
    const { low, high } = known(comparison.difference);
    expectClose([low, high], reference.newcombe);
    if (reference.katz === null) {
      expect(comparison.lift).toEqual({ kind: 'unknown', reason: 'no-conversions' });
    } else {
      const lift = known(comparison.lift);
      expectClose(
        [lift.low, lift.high],
        reference.katz.map((ratio) => ratio - 1),
      );
    }
  });

  test.each(
    scenario.comparisons.flatMap(({ key, sequential }) =>
      sequential.map((reference) => ({ key, ...reference })),
    ),
  )('always-valid comparison of $key, kappa $kappa', ({ key, kappa, ...reference }) => {
    const comparisons = analyses.get(kappa)?.comparisons ?? [];
    const result = known(comparisonOf(comparisons, key).alwaysValid);
    expectClose([result.logBayesFactor], [reference.logBayesFactor], BAYES_FACTOR);
    expectClose([result.p], [Math.min(1, reference.p)], { relative: 1e-6, absolute: 1e-12 });
    const lift = known(result.lift);
    expect(lift.estimate === null).toBe(reference.lift.estimate === null);
    expectClose([lift.estimate ?? 0], [reference.lift.estimate ?? 0]);
    expectClose([lift.low, lift.high], reference.lift['0.05']);
    const theta = known(result.theta);
    expectClose([theta.low, theta.high], reference.theta['0.05']);
    if (comparisons.length === 2) {
      const all = known(result.simultaneousLift);
      expectClose([all.low, all.high], reference.lift['0.025']);
    }
  });

  test('Holm over the arms', () => {
    if (scenario.holm === null) return;
    const tested = analysis.comparisons.map((one) => known(one.pooledZ).p);
    expectClose(holm(tested), scenario.holm);
  });
});

describe.each(cases.extremes)('$name, alpha $alpha, kappa $kappa', (reference) => {
  const { control, variant, alpha, kappa } = reference;
  const before = { count: control.conversions, total: control.visitors };
  const after = { count: variant.conversions, total: variant.visitors };
  const segment = {
    controlWeight: control.weight,
    variantWeight: variant.weight,
    controlConversions: control.conversions,
    variantConversions: variant.conversions,
  };

  test('always-valid comparison', () => {
    const factor = logBayesFactor([segment], kappa, 0);
    expectClose([factor], [reference.logBayesFactor], { relative: 1e-9, absolute: 1e-7 });
    expectClose([sequentialP(factor)], [reference.p], { relative: 1e-7, absolute: 1e-300 });
    const { low, high } = confidenceSequence([segment], kappa, alpha) ?? expect.unreachable();
    expectClose([low, high], reference.lift, { relative: 1e-8, absolute: 1e-12 });
  });

  test('single look', () => {
    const z = pooledZ([{ control: before, variant: after }]);
    if (reference.z === null) expect(z).toEqual({ kind: 'unknown', reason: 'no-variance' });
    else
      expectClose([known(z).z, known(z).p], [reference.z, reference.zP], {
        relative: 1e-9,
        absolute: 1e-300,
      });
    for (const [index, proportion] of [before, after].entries()) {
      const { low, high } = known(rateInterval(proportion, alpha));
      expectClose([low, high], reference.wilson[index] ?? [], { relative: 1e-9, absolute: 1e-17 });
    }
    const difference = known(differenceInterval(before, after, alpha));
    expectClose([difference.low, difference.high], reference.newcombe);
    if (reference.katz !== null) {
      const lift = known(liftInterval(before, after, alpha));
      expectClose([lift.low, lift.high], reference.katz);
    }
  });
});

describe('a stream of days', () => {
  const { weights, daily, control, variant } = cases.stream;
  test.each([
    [100, cases.stream.kappa100],
    [1000, cases.stream.kappa1000],
  ])('running p, kappa %d', (kappa, reference) => {
    let p = 1;
    let controlConversions = 0;
    let variantConversions = 0;
    const running = daily.map(({ conversions }) => {
      controlConversions += conversions[control] ?? 0;
      variantConversions += conversions[variant] ?? 0;
      const segment = {
        controlWeight: weights[control] ?? 0,
        variantWeight: weights[variant] ?? 0,
        controlConversions,
        variantConversions,
      };
      p = Math.min(p, sequentialP(logBayesFactor([segment], kappa, 0)));
      return p;
    });
    expectClose(running, reference, { relative: 1e-6, absolute: 0 });
  });
});

test.each(cases.holm)('Holm of $p', ({ p, adjusted }) => {
  expectClose(holm(p), adjusted);
});

test.each(cases.power)(
  'sample size for $baseline lifted by $lift, ratio $ratio',
  ({ control, lift, ...design }) => {
    expectClose([known(requiredControl(design, lift)).visitors], [control]);
  },
);

// R 4.2.2: fisher.test(matrix(c(x1, n1 - x1, x2, n2 - x2), 2))
test.each([
  [{ count: 1, total: 2 }, { count: 0, total: 3 }, 0.4],
  [{ count: 3, total: 101 }, { count: 9, total: 148 }, 0.369_882_185_313_935_8],
])('Fisher’s test of %j and %j', (control, variant, p) => {
  expectClose([known(fisherExact({ control, variant })).p], [p]);
});

test('the likeliest lift of several segments lies between theirs', () => {
  const segments = [
    { controlWeight: 1, variantWeight: 1, controlConversions: 100, variantConversions: 110 },
    { controlWeight: 1, variantWeight: 4, controlConversions: 100, variantConversions: 520 },
  ];
  const lift = likeliestLift(segments) ?? expect.unreachable();
  expect(lift).toBeGreaterThan(0.1);
  expect(lift).toBeLessThan(0.3);
});

function comparisonOf(comparisons: readonly Comparison[], key: string): Comparison {
  return comparisons.find((comparison) => comparison.key === key) ?? expect.unreachable();
}

function known<Known>(figure: Figure<Known>): Known {
  if (figure.kind === 'unknown') throw new Error(`expected a figure, got ${figure.reason}`);
  return figure;
}

function expectClose(
  got: readonly (number | null | undefined)[],
  expected: readonly (number | null | undefined)[],
  { relative, absolute } = EXACT,
): void {
  expect(got.length).toBe(expected.length);
  for (const [index, value] of got.entries()) {
    const wanted = expected[index];
    if (typeof value !== 'number' || typeof wanted !== 'number') {
      expect(value).toBe(wanted);
      continue;
    }
    const error = Math.abs(value - wanted);
    expect(error, `${value} for ${wanted}`).toBeLessThanOrEqual(
      Math.max(absolute, relative * Math.abs(wanted)),
    );
  }
}
