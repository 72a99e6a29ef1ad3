import { logBayesFactor, sequentialP } from './always-valid.ts';
import type { Figure, Interval } from './figure.ts';
import { holm } from './holm.ts';
import { rateInterval } from './rate.ts';
import { BROKEN_BELOW } from './split.ts';

/** Visitors of an arm, and how many of them were served by another upstream than its own. */
export interface ArmFallbacks {
  readonly key: string;
  /** Only the ratios matter. */
  readonly weight: number;
  readonly visitors: number;
  readonly fallbacks: number;
}

export interface FallbackReadings {
  readonly arms: readonly {
    readonly key: string;
    readonly visitors: number;
    readonly fallbacks: number;
    readonly rate: Figure<Interval>;
  }[];
  /** Every other arm against control. */
  readonly comparisons: readonly {
    readonly key: string;
    /** Of the always-valid comparison, on fallbacks in place of conversions. */
    readonly p: number;
    readonly adjustedP: number;
    /** Then its result is about an upstream that fails, not about what it serves. */
    readonly isDifferent: boolean;
  }[];
}

/** What the prior of a comparison weighs unless told otherwise; in conversions. */
export const DEFAULT_KAPPA = 100;

/**
 * Compares how often arms were not served by their own upstream. A fallback rate that differs
 * breaks no split, since analysis is by intention to treat; it waters down the difference.
 */
export function readFallbacks(
  arms: readonly ArmFallbacks[],
  control: string | null,
  alpha: number,
): FallbackReadings {
  const base = arms.find(({ key, weight }) => key === control && weight > 0);
  const compared = arms.flatMap(({ key, weight, fallbacks }) => {
    if (base === undefined || key === control || weight === 0) return [];
    const segment = {
      controlWeight: base.weight,
      variantWeight: weight,
      controlConversions: base.fallbacks,
      variantConversions: fallbacks,
    };
    return { key, p: sequentialP(logBayesFactor([segment], DEFAULT_KAPPA, 0)) };
  });
  const adjusted = holm(compared.map(({ p }) => p));
  return {
    arms: arms.map(({ key, visitors, fallbacks }) => ({
      key,
      visitors,
      fallbacks,
      rate: rateInterval({ count: fallbacks, total: visitors }, alpha),
    })),
    comparisons: compared.map(({ key, p }, index) => ({
      key,
      p,
      adjustedP: adjusted[index] ?? 1,
      isDifferent: (adjusted[index] ?? 1) < BROKEN_BELOW,
    })),
  };
}
