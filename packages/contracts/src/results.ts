/**
 * Results of an experiment: `GET /v1/experiments/:key/results`. Counts come from totals, which
 * are kept with the events that change them; what they mean is said by @turnout/stats.
 */

/** What was counted of one variant. A visitor counts once. */
export interface VariantCounts {
  readonly variant: string;
  /** Visitors assigned to it who were served a page. */
  readonly exposed: number;
  /** Of those: served by another variant, since their own could not answer. */
  readonly fallback: number;
  /** Of those: came back with their cookie. */
  readonly confirmed: number;
  /** Of those: sent any test result for the metric. */
  readonly reported: number;
  /** Of those: converted. */
  readonly conversions: number;
  /** Of the confirmed: converted. */
  readonly confirmedConversions: number;
  /** Sum of the values of conversions, and of their squares; 0 where the metric has none. */
  readonly value: number;
  readonly valueSquared: number;
}

/** The same counts by one trait of the traffic. */
export interface Slice {
  readonly by: 'day' | 'bot' | 'edge' | 'revision';
  readonly value: string;
  readonly variants: readonly VariantCounts[];
}

export interface ExperimentCounts {
  readonly experiment: string;
  readonly phase: number;
  readonly metric: string;
  /** ISO 8601, UTC; absent before the first exposure. */
  readonly firstExposure?: string;
  readonly lastExposure?: string;
  readonly variants: readonly VariantCounts[];
  readonly slices: readonly Slice[];
  /** Visitors who were seen in more than one variant of the phase. */
  readonly inTwoVariants: number;
  /** Exposures of clients that say they are bots. */
  readonly bots: number;
}
