import type { Analysis, Comparison, PlanReading, SampleRatioReading, Warning } from './analysis.ts';
import { limitsSoFar, readAlwaysValid, takeSingleLook } from './compare.ts';
import { differenceInterval, liftInterval } from './comparison-intervals.ts';
import type { ArmCounts, Counts, Segment } from './counts.ts';
import { problemsOf } from './counts.ts';
import type { FallbackReadings } from './fallback.ts';
import { DEFAULT_KAPPA, readFallbacks } from './fallback.ts';
import type { Figure } from './figure.ts';
import { unknown } from './figure.ts';
import { conversionsOf, pairsOf, pooled, proportionOf, totalsOf } from './pairs.ts';
import { spendingOf } from './plan.ts';
import { posteriors } from './posterior.ts';
import { detectableLift } from './power.ts';
import { DEFAULT_POWER, readPower } from './power-reading.ts';
import { rateInterval } from './rate.ts';
import { fisherExact, pooledZ } from './single-look.ts';
import type { SplitPart, Visitors } from './split.ts';
import { BROKEN_BELOW, expectedVisitors, readSlices, readSplit, readStages } from './split.ts';
import { decide, verdictOf } from './verdict.ts';

const FEW_CONVERSIONS = 25;

/**
 * Analyses an experiment by its counts. What can't be told has a named reason; no figure is
 * NaN or infinite.
 *
 * @throws {RangeError} that names every problem, one a line, for counts that can't be
 */
export function analyze(counts: Counts): Analysis {
  const problems = problemsOf(counts);
  if (problems.length > 0) throw new RangeError(problems.join('\n'));

  const { alpha = 0.05, expectedConversions = 8 * DEFAULT_KAPPA } = counts;
  const { kappa = expectedConversions / 8, power: question = {} } = counts;
  const segments = [...(counts.earlier ?? []), { arms: counts.arms }];
  const arms = totalsOf(segments);
  const base = arms.find(({ key }) => key === (counts.control ?? counts.arms[0]?.key));
  const variants = base === undefined ? [] : arms.filter((arm) => arm !== base);
  const visitors = sum(arms.map((arm) => arm.visitors));
  const plan = readPlan(counts, alpha, visitors);
  const isHidden = plan.kind === 'fixed' && !plan.isPlannedSizeReached;
  const shown = <Known>(figure: Figure<Known>): Figure<Known> =>
    isHidden ? unknown('before-planned-size') : figure;

  const split = segments.map(splitPart);
  const expected = expectedVisitors(split);
  const sampleRatio = readSampleRatio(split, counts.previous?.sampleRatioP ?? null);
  const bayes = posteriors(arms.map(proportionOf));
  const design = {
    baseline: question.baseline ?? rateOf(base),
    power: question.power ?? DEFAULT_POWER,
    alpha: (plan.finalAlpha > 0 ? plan.finalAlpha : alpha) / Math.max(1, variants.length),
  };

  const counted = variants.map(({ key }) => ({
    key,
    pairs: pairsOf(segments, base?.key ?? '', key),
    look: pairsOf(counts.plan?.atPlannedSize ?? segments, base?.key ?? '', key),
    segments: conversionsOf(segments, base?.key ?? '', key),
  }));
  const carriedBefore = counts.previous?.comparisons ?? [];
  const running = readAlwaysValid(counted, { alpha, kappa }, carriedBefore);
  const looks = takeSingleLook(counted.map(({ look }) => look));
  const comparisons = counted.map(
    ({ key, pairs, look, segments: conversions }, index): Comparison => {
      const { control, variant } = pooled(pairs);
      const alwaysValid = running[index] ?? unknown('not-compared');
      const singleLook = looks[index] ?? unknown('not-compared');
      const isCompared = control.total > 0 && variant.total > 0;
      // Whatever holds for one look only is of the counts that the look was taken at.
      const looked = pooled(look);
      const before = carriedBefore.find((each) => each.key === key);
      return {
        key,
        alwaysValid: shown(alwaysValid),
        singleLook: shown(singleLook),
        pooledZ: shown(pooledZ(look)),
        fisher: shown(fisherExact(looked)),
        difference: shown(differenceInterval(looked.control, looked.variant, alpha)),
        lift: shown(liftInterval(looked.control, looked.variant, alpha)),
        posterior: shown(
          isCompared
            ? { kind: 'known', ...posteriors([control, variant]).compare(0, 1) }
            : unknown('no-visitors'),
        ),
        detectable: isCompared
          ? detectableLift({ ...design, ratio: variant.total / control.total }, control.total)
          : unknown('no-visitors'),
        decision: decide(plan, alwaysValid, singleLook, {
          conversions,
          look,
          limits: limitsSoFar(alwaysValid, before),
        }),
      };
    },
  );

  const verdict = verdictOf(arms.length, base !== undefined, plan, comparisons);
  return {
    control: base?.key ?? null,
    alpha,
    kappa,
    visitors,
    conversions: sum(arms.map((arm) => arm.conversions)),
    plan,
    verdict: sampleRatio.isBroken
      ? { kind: 'withheld', reason: 'sample-ratio', otherwise: verdict }
      : verdict,
    warnings: warningsOf(counts, arms, plan, visitors),
    sampleRatio,
    arms: arms.map((arm, index) => ({
      ...arm,
      isControl: arm === base,
      rate: rateInterval(proportionOf(arm), alpha),
      posterior: shown(
        visitors === 0 ? unknown('no-visitors') : { kind: 'known', ...bayes.of(index) },
      ),
    })),
    comparisons,
    power: readPower(question, design, arms, base?.key ?? null, { ...plan, visitors }),
    stages: counts.stages === undefined ? null : readStages(counts.stages, expected),
    slices: Object.entries(counts.slices ?? {}).map(([dimension, slices]) =>
      readSlices(dimension, slices, expected),
    ),
    fallbacks:
      counts.fallbacks === undefined
        ? null
        : fallbacksOf(arms, counts.fallbacks, expected, base?.key ?? null, alpha),
    carry: {
      sampleRatioP: sampleRatio.smallestP,
      comparisons: comparisons.flatMap(({ key, alwaysValid }) => {
        const before = carriedBefore.find((each) => each.key === key);
        if (alwaysValid.kind === 'unknown') return before ?? [];
        return { key, p: alwaysValid.p, ...limitsSoFar(alwaysValid, before) };
      }),
    },
  };
}

function readPlan({ plan }: Counts, alpha: number, visitors: number): PlanReading {
  const kind = plan?.kind ?? 'open-ended';
  const { running, final } = spendingOf(kind, alpha);
  const plannedVisitors = plan?.plannedVisitors ?? null;
  return {
    kind,
    plannedVisitors,
    isPlannedSizeReached: plannedVisitors !== null && visitors >= plannedVisitors,
    runningAlpha: running,
    finalAlpha: final,
  };
}

function splitPart({ arms }: Segment): SplitPart {
  return {
    visitors: Object.fromEntries(arms.map(({ key, visitors }) => [key, visitors])),
    weights: Object.fromEntries(arms.map(({ key, weight }) => [key, weight])),
  };
}

function readSampleRatio(parts: readonly SplitPart[], before: number | null): SampleRatioReading {
  const { test, isBroken, arms } = readSplit(parts);
  const seen = [...(before === null ? [] : [before]), ...(test.kind === 'tested' ? [test.p] : [])];
  const smallestP = seen.length === 0 ? null : Math.min(...seen);
  return {
    test,
    smallestP,
    isBroken: isBroken || (smallestP !== null && smallestP < BROKEN_BELOW),
    arms,
  };
}

function fallbacksOf(
  arms: readonly ArmCounts[],
  fallbacks: Visitors,
  expected: Visitors,
  control: string | null,
  alpha: number,
): FallbackReadings {
  return readFallbacks(
    arms.map(({ key, visitors }) => ({
      key,
      weight: expected[key] ?? 0,
      visitors,
      fallbacks: fallbacks[key] ?? 0,
    })),
    control,
    alpha,
  );
}

function warningsOf(
  counts: Counts,
  arms: readonly ArmCounts[],
  plan: PlanReading,
  visitors: number,
): Warning[] {
  const isPast = plan.plannedVisitors !== null && visitors > plan.plannedVisitors;
  return [
    ...arms.flatMap(({ key, conversions }): Warning[] =>
      conversions < FEW_CONVERSIONS ? [{ kind: 'few-conversions', key, conversions }] : [],
    ),
    ...((counts.earlier ?? []).length > 0 ? [{ kind: 'weights-changed' } as const] : []),
    ...(plan.finalAlpha > 0 && isPast && counts.plan?.atPlannedSize === undefined
      ? [{ kind: 'past-planned-size', visitors } as const]
      : []),
  ];
}

/** NaN where there is none: no design works with it, and it is told as null. */
function rateOf(arm: ArmCounts | undefined): number {
  return arm === undefined ? Number.NaN : arm.conversions / arm.visitors;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
