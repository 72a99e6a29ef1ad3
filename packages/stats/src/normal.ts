import erfc from '@stdlib/math-base-special-erfc';
import erfcinv from '@stdlib/math-base-special-erfcinv';

/** How many standard errors a two-sided test at `alpha` asks for: 1.96 for 0.05. */
export function criticalZ(alpha: number): number {
  return Math.SQRT2 * erfcinv(alpha);
}

/** The z below which a standard normal variable falls with this probability. */
export function normalQuantile(probability: number): number {
  return -Math.SQRT2 * erfcinv(2 * probability);
}

/** The two-sided p of z. By erfc: 1 minus the distribution would be 0 from z = 8.3 on. */
export function twoSidedP(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}
