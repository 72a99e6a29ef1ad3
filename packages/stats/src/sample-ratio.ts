import gammainc from '@stdlib/math-base-special-gammainc';
import gammaln from '@stdlib/math-base-special-gammaln';

/**
 * Whether visitors were split as planned. A split that was not makes every comparison of its
 * variants worthless, so it is tested first.
 */
export type SampleRatio =
  | {
      readonly kind: 'tested';
      /**
       * Of the sequential test: `min(1, 1 / Bayes factor)`. It may be looked at as often as one
       * likes; the smallest value so far is a valid p, which the caller keeps.
       */
      readonly p: number;
      /** Natural logarithm; above 0 speaks against the plan. */
      readonly logBayesFactor: number;
      /** Pearson's χ²: describes the split; its p holds for a single look only. */
      readonly chiSquare: number;
      readonly degreesOfFreedom: number;
      readonly chiSquareP: number;
    }
  | {
      readonly kind: 'untestable';
      /** There is nothing to split between fewer than two groups, or nobody to be split. */
      readonly reason: 'one-group' | 'nobody';
    };

/**
 * Weight of the prior, in visitors: as if so many had been seen, split as planned. It puts
 * the alternatives within some 1 % of the plan, where real faults lie.
 */
const PRIOR = 10_000;

/**
 * Tests counts against the weights that they should follow, by the multinomial Bayes factor
 * with a Dirichlet prior around the plan (Lindon & Malek 2022, "Anytime-valid inference for
 * multinomial count data"): with counts n of N in all, shares r, and K of the prior,
 *
 * `BF = Γ(K) / Γ(K + N) · Π Γ(K·r + n) / (Γ(K·r) · rⁿ)`.
 *
 * @param counts visitors of each group
 * @param weights of the same groups, each above 0; only their ratios matter
 * @throws {RangeError} for counts or weights that are none
 */
export function sampleRatio(counts: readonly number[], weights: readonly number[]): SampleRatio {
  if (counts.length !== weights.length) {
    throw new RangeError(
      `expected a weight for each count, got ${counts.length} counts and ${weights.length} weights`,
    );
  }
  const visitors = sum(counts);
  const weight = sum(weights);
  const groups = counts.map((count, index) => group(count, weights[index] ?? 0, weight));
  if (groups.length < 2) return { kind: 'untestable', reason: 'one-group' };
  if (visitors === 0) return { kind: 'untestable', reason: 'nobody' };

  let logBayesFactor = gammaln(PRIOR) - gammaln(PRIOR + visitors);
  let chiSquare = 0;
  for (const { count, share } of groups) {
    const prior = PRIOR * share;
    logBayesFactor += gammaln(prior + count) - gammaln(prior) - count * Math.log(share);
    const expected = visitors * share;
    chiSquare += (count - expected) ** 2 / expected;
  }
  const degreesOfFreedom = groups.length - 1;
  return {
    kind: 'tested',
    p: Math.min(1, Math.exp(-logBayesFactor)),
    logBayesFactor,
    chiSquare,
    degreesOfFreedom,
    chiSquareP: chiSquareTail(chiSquare, degreesOfFreedom),
  };
}

/** The upper tail of χ², computed as such: 1 minus the lower one would lose small values. */
export function chiSquareTail(chiSquare: number, degreesOfFreedom: number): number {
  return gammainc(chiSquare / 2, degreesOfFreedom / 2, true, true);
}

function group(count: number, weight: number, all: number): { count: number; share: number } {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`expected counts as whole numbers from 0, got ${count}`);
  }
  const share = weight / all;
  if (!(share > 0 && share <= 1)) throw new RangeError(`expected weights above 0, got ${weight}`);
  return { count, share };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
