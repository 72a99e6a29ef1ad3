import type { Figure, Interval } from './figure.ts';
import { unknown } from './figure.ts';
import { criticalZ } from './normal.ts';
import type { Proportion } from './proportion.ts';

/**
 * A conversion rate with its two-sided score interval (Wilson 1927).
 *
 * The limits are the roots of `(n + z²)p² − (2x + z²)p + x²/n`. The lower one is computed from
 * the product of both, so that it is exactly 0 without conversions, and keeps its digits with few.
 *
 * @param alpha the share of intervals that may miss the truth, such as 0.05
 */
export function rateInterval({ count, total }: Proportion, alpha: number): Figure<Interval> {
  if (total === 0) return unknown('no-visitors');
  const z = criticalZ(alpha);
  const estimate = count / total;
  const root = z * Math.sqrt(z * z + 4 * count * ((total - count) / total));
  const high = Math.min(1, (2 * count + z * z + root) / (2 * (total + z * z)));
  const low = (estimate * count) / ((total + z * z) * high);
  return {
    kind: 'known',
    estimate,
    // Rounding must not put the estimate outside.
    low: Math.min(low, estimate),
    high: Math.max(high, estimate),
  };
}
