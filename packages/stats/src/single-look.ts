import type { Figure } from './figure.ts';
import { unknown } from './figure.ts';
import { twoSidedP } from './normal.ts';
import type { Proportion } from './proportion.ts';

/** Control and one variant, both counted in the same stretch of time. */
export interface Pair {
  readonly control: Proportion;
  readonly variant: Proportion;
}

/** Below this many expected in any of its four cells, z is no longer close to normal. */
const SMALLEST_CELL = 5;

/**
 * The pooled z-test of two rates. Over several segments it is Cochran's (1954): each is compared
 * with itself only, so that weights that changed while the rate did pull nothing askew. With one
 * segment the two are the same.
 *
 * `z = Σ w·(pT − pC) / √(Σ w·p(1 − p))`, `w = nT·nC / (nT + nC)`, p of both together.
 *
 * @returns z above 0 where the variant is ahead, and the two-sided p of a single look
 */
export function pooledZ(
  pairs: readonly Pair[],
): Figure<{ readonly z: number; readonly p: number }> {
  const used = pairs.filter(({ control, variant }) => control.total > 0 && variant.total > 0);
  if (used.length === 0) return unknown('no-visitors');
  let difference = 0;
  let variance = 0;
  for (const { control, variant } of used) {
    const total = control.total + variant.total;
    const weight = (control.total * variant.total) / total;
    const converted = control.count + variant.count;
    difference += weight * rateDifference(control, variant);
    variance += weight * (converted / total) * ((total - converted) / total);
  }
  if (variance === 0) return unknown('no-variance');
  const z = difference / Math.sqrt(variance);
  return { kind: 'known', z, p: twoSidedP(z) };
}

/** By the rarer outcome: two rates close to 1 would lose their difference. */
function rateDifference(control: Proportion, variant: Proportion): number {
  if (2 * (control.count + variant.count) <= control.total + variant.total) {
    return variant.count / variant.total - control.count / control.total;
  }
  return (
    (control.total - control.count) / control.total -
    (variant.total - variant.count) / variant.total
  );
}

/**
 * Fisher's exact test (1935), two-sided: the chance of a table no likelier than the one seen,
 * with all sums as they are. Only where a cell is expected to hold fewer than 5.
 */
export function fisherExact({ control, variant }: Pair): Figure<{ readonly p: number }> {
  if (control.total === 0 || variant.total === 0) return unknown('no-visitors');
  const total = control.total + variant.total;
  const converted = control.count + variant.count;
  const rarest = Math.min(converted, total - converted);
  if ((Math.min(control.total, variant.total) / total) * rarest >= SMALLEST_CELL) {
    return unknown('cells-large-enough');
  }
  const first = Math.max(0, converted - control.total);
  const last = Math.min(converted, variant.total);
  // Of the next count to the one before it.
  const growth = (count: number): number =>
    ((converted - count) * (variant.total - count)) /
    ((count + 1) * (control.total - converted + count + 1));

  // Relative to the likeliest count, where it can't overflow, outwards until nothing is left.
  const mode = Math.min(
    last,
    Math.max(first, Math.floor(((converted + 1) * (variant.total + 1)) / (total + 2))),
  );
  const likelihoods = new Map([[mode, 1]]);
  for (let count = mode, likelihood = 1; count < last && likelihood > 0; count++) {
    likelihood *= growth(count);
    likelihoods.set(count + 1, likelihood);
  }
  for (let count = mode, likelihood = 1; count > first && likelihood > 0; count--) {
    likelihood /= growth(count - 1);
    likelihoods.set(count - 1, likelihood);
  }
  // Equally likely tables differ by rounding.
  const seen = (likelihoods.get(variant.count) ?? 0) * (1 + 1e-7);
  let all = 0;
  let asExtreme = 0;
  for (const likelihood of [...likelihoods.values()].toSorted((a, b) => a - b)) {
    all += likelihood;
    if (likelihood <= seen) asExtreme = all;
  }
  return { kind: 'known', p: Math.min(1, asExtreme / all) };
}
