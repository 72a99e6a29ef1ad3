import type { Figure, Interval } from './figure.ts';
import { unknown } from './figure.ts';
import { criticalZ } from './normal.ts';
import type { Proportion } from './proportion.ts';
import { rateInterval } from './rate.ts';

/**
 * The difference of two rates, `variant − control`, with Newcombe's hybrid score interval (1998,
 * method 10): the errors of both Wilson intervals, added as squares.
 *
 * @param alpha such as 0.05
 */
export function differenceInterval(
  control: Proportion,
  variant: Proportion,
  alpha: number,
): Figure<Interval> {
  const before = rateInterval(control, alpha);
  const after = rateInterval(variant, alpha);
  if (before.kind === 'unknown') return before;
  if (after.kind === 'unknown') return after;
  const estimate = after.estimate - before.estimate;
  return {
    kind: 'known',
    estimate,
    low: estimate - Math.hypot(after.estimate - after.low, before.high - before.estimate),
    high: estimate + Math.hypot(after.high - after.estimate, before.estimate - before.low),
  };
}

/**
 * The relative lift of two rates, `variant / control − 1`, with the log interval of Katz,
 * Baptista, Azen & Pike (1978). It needs conversions on both sides.
 *
 * @param alpha such as 0.05
 */
export function liftInterval(
  control: Proportion,
  variant: Proportion,
  alpha: number,
): Figure<Interval> {
  if (control.total === 0 || variant.total === 0) return unknown('no-visitors');
  if (control.count === 0 || variant.count === 0) return unknown('no-conversions');
  const ratio = variant.count / variant.total / (control.count / control.total);
  const logRatio = Math.log(ratio);
  const error = criticalZ(alpha) * Math.sqrt(logVariance(control) + logVariance(variant));
  return {
    kind: 'known',
    estimate: ratio - 1,
    low: Math.min(Math.expm1(logRatio - error), ratio - 1),
    high: Math.max(Math.expm1(logRatio + error), ratio - 1),
  };
}

/** Of the logarithm of a rate: `1/x − 1/n`. */
function logVariance({ count, total }: Proportion): number {
  return (total - count) / (count * total);
}
