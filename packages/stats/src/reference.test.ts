// Every figure against programs that share no code with ours: test/cases/README.md names them.

import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/analysis.json' with { type: 'json' };
import { analyze } from './analyze.ts';
import type { ArmCounts } from './counts.ts';
import type { Figure } from './figure.ts';
import { conversionsOf } from './pairs.ts';
import type { ConversionSegment } from './always-valid.ts';
import type { Comparison } from './analysis.ts';
import { confidenceSequence, likeliestLift, logBayesFactor, sequentialP } from './always-valid.ts';
import { differenceInterval, liftInterval } from './comparison-intervals.ts';
import { holm } from './holm.ts';
import { requiredControl } from './power.ts';
import { rateInterval } from './rate.ts';
import { fisherExact, pooledZ } from './single-look.ts';
import { deviations, known, present } from './test-figures.ts';

/** Of the reference in double precision. */
const ENDS = ['low', 'high'] as const;
const BAYES_FACTOR = { relative: 0, absolute: 1e-6 };

describe.each(cases.scenarios)('$name', (scenario) => {
  const analyses = new Map(
    [100, 1000].map((kappa) => [
      kappa,
      analyze({ control: scenario.control, kappa, arms: scenario.arms }),
    ]),
  );
  const analysis = present(analyses.get(100));

  test.each(scenario.rates)('rate of $key', ({ key, estimate, wilson }) => {
    const rate = known(analysis.arms.find((arm) => arm.key === key)?.rate);
    expect(deviations([rate.estimate, rate.low, rate.high], [estimate, ...wilson])).toEqual([]);
  });

  test('posteriors', () => {
    const posterior = analysis.arms.map((arm) => known(arm.posterior));
    expect(
      deviations(
        posterior.map((each) => each.chanceToBeBest),
        scenario.posterior.chanceToBeBest,
      ),
    ).toEqual([]);
    expect(
      deviations(
        posterior.map((each) => each.expectedLoss),
        scenario.posterior.expectedLoss,
      ),
    ).toEqual([]);
    for (const { key, posterior: reference } of scenario.comparisons) {
      const one = known(comparisonOf(analysis.comparisons, key).posterior);
      expect(
        deviations(
          [one.chanceToBeatControl, one.chanceToLoseToControl],
          [reference.chanceToBeatControl, reference.chanceToLoseToControl],
        ),
      ).toEqual([]);
      expect(
        deviations(
          [one.expectedLossOfVariant, one.expectedLossOfControl],
          [reference.expectedLossOfVariant, reference.expectedLossOfControl],
        ),
      ).toEqual([]);
    }
  });

  test.each([...scenario.comparisons])('single look at $key', (reference) => {
    const comparison = comparisonOf(analysis.comparisons, reference.key);
    expect(deviations(orNull(comparison.pooledZ, ['z', 'p']), [reference.z, reference.p])).toEqual(
      [],
    );
    // Only where a cell is expected to hold fewer than 5.
    const fisher = orNull(comparison.fisher, ['p']);
    const expected = comparison.fisher.kind === 'known' ? reference.fisherP : null;
    expect(deviations(fisher, [expected])).toEqual([]);
    expect(deviations(orNull(comparison.difference, ENDS), reference.newcombe)).toEqual([]);
    expect(
      deviations(orNull(comparison.lift, ENDS), (reference.katz ?? [null, null]).map(toLift)),
    ).toEqual([]);
  });

  test.each(
    scenario.comparisons.flatMap(({ key, sequential }) =>
      sequential.map((reference) => ({ key, ...reference })),
    ),
  )('always-valid comparison of $key, kappa $kappa', ({ key, kappa, ...reference }) => {
    const comparisons = analyses.get(kappa)?.comparisons ?? [];
    const result = known(comparisonOf(comparisons, key).alwaysValid);
    const { lift, theta } = reference;
    expect(deviations([result.logBayesFactor], [reference.logBayesFactor], BAYES_FACTOR)).toEqual(
      [],
    );
    expect(deviations([result.p], [reference.p], { ...BAYES_FACTOR, relative: 1e-6 })).toEqual([]);
    const sequence = known(result.lift);
    expect(deviations([sequence.estimate], [lift.estimate])).toEqual([]);
    expect(deviations([sequence.low, sequence.high], lift['0.05'])).toEqual([]);
    const share = known(result.theta);
    expect(deviations([share.estimate], [theta.estimate])).toEqual([]);
    expect(deviations([share.low, share.high], theta['0.05'])).toEqual([]);
    const all = confidenceSequence(segmentsOf(scenario, key), kappa, 0.025);
    expect(deviations([all?.low ?? null, all?.high ?? null], lift['0.025'])).toEqual([]);
  });

  test('Holm over the arms', () => {
    const tested = analysis.comparisons.flatMap((each) => orNull(each.pooledZ, ['p']));
    const adjusted = tested.includes(null) ? null : holm(tested.map((p) => p ?? 1));
    // The reference has it only for several arms whose p is known.
    expect(deviations(adjusted ?? [], scenario.holm ?? adjusted ?? [])).toEqual([]);
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
    expect(
      deviations([factor], [reference.logBayesFactor], { relative: 1e-9, absolute: 1e-7 }),
    ).toEqual([]);
    expect(
      deviations([sequentialP(factor)], [reference.p], { relative: 1e-7, absolute: 1e-300 }),
    ).toEqual([]);
    const { low, high } = present(confidenceSequence([segment], kappa, alpha));
    expect(deviations([low, high], reference.lift, { relative: 1e-8, absolute: 1e-12 })).toEqual(
      [],
    );
  });

  test('single look', () => {
    const tight = { relative: 1e-9, absolute: 1e-300 };
    const z = pooledZ([{ control: before, variant: after }]);
    expect(deviations(orNull(z, ['z', 'p']), [reference.z, reference.zP], tight)).toEqual([]);
    for (const [index, proportion] of [before, after].entries()) {
      const limits = orNull(rateInterval(proportion, alpha), ENDS);
      expect(
        deviations(limits, reference.wilson[index] ?? [], { ...tight, absolute: 1e-17 }),
      ).toEqual([]);
    }
    const difference = differenceInterval(before, after, alpha);
    expect(deviations(orNull(difference, ENDS), reference.newcombe)).toEqual([]);
    const lift = liftInterval(before, after, alpha);
    expect(deviations(orNull(lift, ENDS), reference.katz ?? [null, null])).toEqual([]);
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
    expect(deviations(running, reference, { relative: 1e-6, absolute: 0 })).toEqual([]);
  });
});

test.each(cases.holm)('Holm of $p', ({ p, adjusted }) => {
  expect(deviations(holm(p), adjusted)).toEqual([]);
});

test.each(cases.power)(
  'sample size for $baseline lifted by $lift, ratio $ratio',
  ({ control, lift, ...design }) => {
    expect(deviations([known(requiredControl(design, lift)).visitors], [control])).toEqual([]);
  },
);

// R 4.2.2: fisher.test(matrix(c(x1, n1 - x1, x2, n2 - x2), 2))
test.each([
  [{ count: 1, total: 2 }, { count: 0, total: 3 }, 0.4],
  [{ count: 3, total: 101 }, { count: 9, total: 148 }, 0.369_882_185_313_935_8],
])('Fisher’s test of %j and %j', (control, variant, p) => {
  expect(deviations([known(fisherExact({ control, variant })).p], [p])).toEqual([]);
});

test('the likeliest lift of several segments lies between theirs', () => {
  const segments = [
    { controlWeight: 1, variantWeight: 1, controlConversions: 100, variantConversions: 110 },
    { controlWeight: 1, variantWeight: 4, controlConversions: 100, variantConversions: 520 },
  ];
  const lift = present(likeliestLift(segments));
  expect(lift).toBeGreaterThan(0.1);
  expect(lift).toBeLessThan(0.3);
});

function comparisonOf(comparisons: readonly Comparison[], key: string): Comparison {
  return present(comparisons.find((comparison) => comparison.key === key));
}

/** Numbers of a figure; null for each of one that is not known. */
function orNull<Name extends string>(
  figure: Figure<Readonly<Record<Name, number>>>,
  names: readonly Name[],
): (number | null)[] {
  return names.map((name) => (figure.kind === 'known' ? figure[name] : null));
}

function toLift(ratio: number | null): number | null {
  return ratio === null ? null : ratio - 1;
}

function segmentsOf(
  { control, arms }: { control: string; arms: readonly ArmCounts[] },
  variant: string,
): ConversionSegment[] {
  return conversionsOf([{ arms }], control, variant);
}
