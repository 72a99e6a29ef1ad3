import type { Figure } from './figure.ts';
import { unknown } from './figure.ts';
import { criticalZ, normalQuantile } from './normal.ts';

/** A test of two rates that is still to be made. */
export interface Design {
  /** Control's rate, between 0 and 1. */
  readonly baseline: number;
  /** Two-sided: how often a test without a difference may find one. */
  readonly alpha: number;
  /** How often a difference of the size asked for is to be found. */
  readonly power: number;
  /** Visitors of the variant for each one of control. */
  readonly ratio: number;
}

/**
 * How many visitors control needs for a lift to be found, not rounded; the variant needs `ratio`
 * times as many. The usual formula for the pooled z-test (Fleiss, Levin & Paik 2003, 4.14 and
 * 4.18 without the correction), which R's power.prop.test and rpact use too:
 *
 * `n = (z(α/2)·√((1 + 1/k)·p(1 − p)) + z(β)·√(pC(1 − pC) + pT(1 − pT)/k))² / (pT − pC)²`
 *
 * @param lift relative, not 0
 */
export function requiredControl(
  design: Design,
  lift: number,
): Figure<{ readonly visitors: number }> {
  const { baseline, ratio } = design;
  const difference = baseline * lift;
  const rate = baseline + difference;
  if (!(baseline > 0 && baseline < 1)) return unknown('no-baseline');
  if (lift === 0 || rate < 0 || rate > 1) return unknown('out-of-reach');
  const pooled = (baseline + ratio * rate) / (1 + ratio);
  const without = Math.sqrt((1 + 1 / ratio) * pooled * (1 - pooled));
  const within = Math.sqrt(baseline * (1 - baseline) + (rate * (1 - rate)) / ratio);
  const length = criticalZ(design.alpha) * without + normalQuantile(design.power) * within;
  return { kind: 'known', visitors: (length / difference) ** 2 };
}

/**
 * The smallest lift upwards that so many visitors would find.
 *
 * @param controlVisitors of control; the variant has `ratio` times as many
 */
export function detectableLift(
  design: Design,
  controlVisitors: number,
): Figure<{ readonly lift: number }> {
  const { baseline } = design;
  if (!(baseline > 0 && baseline < 1)) return unknown('no-baseline');
  const isFound = (lift: number): boolean => {
    const required = requiredControl(design, lift);
    return required.kind === 'known' && required.visitors <= controlVisitors;
  };
  let found = (1 - baseline) / baseline;
  // Rounding may put the rate above 1.
  if (baseline * (1 + found) > 1) found *= 1 - Number.EPSILON;
  if (!isFound(found)) return unknown('out-of-reach');
  let missed = 0;
  for (;;) {
    const half = missed + (found - missed) / 2;
    if (half === missed || half === found) return { kind: 'known', lift: found };
    if (isFound(half)) found = half;
    else missed = half;
  }
}
