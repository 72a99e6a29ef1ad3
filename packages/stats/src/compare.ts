import type { ConversionSegment, LiftLimits } from './always-valid.ts';
import { confidenceSequence, likeliestLift, logBayesFactor, sequentialP } from './always-valid.ts';
import type { AlwaysValid, SingleLook, Theta } from './analysis.ts';
import type { Carry } from './counts.ts';
import type { Figure } from './figure.ts';
import { unknown } from './figure.ts';
import { holm } from './holm.ts';
import { pooled } from './pairs.ts';
import type { Pair } from './single-look.ts';
import { fisherExact, pooledZ } from './single-look.ts';

/** What all comparisons of one analysis have in common. */
interface Level {
  readonly alpha: number;
  readonly kappa: number;
}

/**
 * Compares every variant with control in the always-valid way.
 *
 * @param carried of the looks before this one
 */
export function readAlwaysValid(
  variants: readonly { readonly key: string; readonly segments: readonly ConversionSegment[] }[],
  { alpha, kappa }: Level,
  carried: Carry['comparisons'],
): Figure<AlwaysValid>[] {
  const readings = variants.map(({ key, segments }) => {
    const last = segments.at(-1);
    if (last === undefined) return unknown('not-compared');
    const before = carried.find((each) => each.key === key);
    const logFactor = logBayesFactor(segments, kappa, 0);
    const estimate = likeliestLift(segments);
    const lift = within(confidenceSequence(segments, kappa, alpha), before);
    const share = alpha / variants.length;
    return {
      kind: 'known' as const,
      logBayesFactor: logFactor,
      p: Math.min(before?.p ?? 1, sequentialP(logFactor)),
      lift:
        lift === undefined
          ? unknown('no-lift-fits')
          : { kind: 'known' as const, estimate, ...lift },
      simultaneousLift: limits(confidenceSequence(segments, kappa, share)),
      theta: lift === undefined ? unknown('no-lift-fits') : thetaOf(segments, last, estimate, lift),
    };
  });
  return adjust(readings);
}

/**
 * The lifts that no look so far excludes: of those before, where this one contradicts them, since
 * what was excluded once stays excluded.
 */
export function limitsSoFar(
  reading: Figure<AlwaysValid>,
  before: LiftLimits | undefined,
): LiftLimits {
  if (reading.kind === 'known' && reading.lift.kind === 'known') {
    const { low, high } = reading.lift;
    return { low, high };
  }
  return before === undefined ? { low: -1, high: null } : { low: before.low, high: before.high };
}

/** Takes the single look at every variant: by z, or by Fisher's test where z does not hold. */
export function takeSingleLook(variants: readonly (readonly Pair[])[]): Figure<SingleLook>[] {
  return adjust(
    variants.map((pairs) => {
      if (pairs.length === 0) return unknown('not-compared');
      const fisher = fisherExact(pooled(pairs));
      if (fisher.kind === 'known') {
        return { kind: 'known' as const, method: 'fisher' as const, p: fisher.p };
      }
      const pooledTest = pooledZ(pairs);
      if (pooledTest.kind === 'unknown') return pooledTest;
      return { kind: 'known' as const, method: 'pooled-z' as const, p: pooledTest.p };
    }),
  );
}

/** Adds to each p what it is after Holm; one that is not known counts as 1. */
function adjust<Known extends { readonly p: number }>(
  figures: readonly Figure<Known>[],
): Figure<Known & { readonly adjustedP: number }>[] {
  const adjusted = holm(figures.map((figure) => (figure.kind === 'known' ? figure.p : 1)));
  return figures.map((figure, index) =>
    figure.kind === 'known' ? { ...figure, adjustedP: adjusted[index] ?? 1 } : figure,
  );
}

/** What is left when what was excluded once stays excluded. */
function within(
  now: LiftLimits | undefined,
  before: LiftLimits | undefined,
): LiftLimits | undefined {
  if (now === undefined || before === undefined) return now;
  const low = Math.max(now.low, before.low);
  const high = Math.min(now.high ?? Infinity, before.high ?? Infinity);
  if (low > high) return undefined;
  return { low, high: Number.isFinite(high) ? high : null };
}

function limits(lift: LiftLimits | undefined): Figure<LiftLimits> {
  return lift === undefined ? unknown('no-lift-fits') : { kind: 'known', ...lift };
}

function thetaOf(
  segments: readonly ConversionSegment[],
  { controlWeight, variantWeight }: ConversionSegment,
  estimate: number | null,
  { low, high }: LiftLimits,
): Figure<Theta> {
  const at = (lift: number | null): number => {
    if (lift === null) return 1;
    const odds = ((1 + lift) * variantWeight) / controlWeight;
    return Number.isFinite(odds) ? odds / (1 + odds) : 1;
  };
  const isAny = segments.some((each) => each.controlConversions + each.variantConversions > 0);
  return {
    kind: 'known',
    withoutLift: at(0),
    estimate: isAny ? at(estimate) : null,
    low: at(low),
    high: at(high),
  };
}
