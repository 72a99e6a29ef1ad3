import type { Analysis, OpenVerdict } from '@turnout/stats';

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

/** Whose results they are: all visitors but declared bots, or those of them who came back. */
export const POPULATIONS = ['raw', 'confirmed'] as const;
export type Population = (typeof POPULATIONS)[number];

/** What @turnout/stats says of one population; without comparisons while the verdict is withheld. */
export interface PopulationAnalysis extends Omit<Analysis, 'verdict'> {
  readonly verdict: OpenVerdict | WithheldVerdict;
}

/** The split is broken, so that arms can't be compared. */
export interface WithheldVerdict {
  readonly kind: 'withheld';
  readonly reason: 'sample-ratio';
  /** What it would be; only for who asked to see it all the same. */
  readonly otherwise?: OpenVerdict;
}

/** How much the split can be trusted, in words. */
export interface Trust {
  readonly level: 'sound' | 'broken' | 'untested';
  readonly sentence: string;
  /** What was found at single stages and slices; a sentence each. */
  readonly findings: readonly string[];
}

export interface Exclusion {
  readonly what: 'bots' | 'previews' | 'unconfirmed';
  /** null where they are not counted in the first place. */
  readonly visitors: number | null;
  readonly why: string;
}

export interface ResultsWarning {
  readonly kind:
    | 'short'
    | 'few-conversions'
    | 'weights-changed'
    | 'in-two-variants'
    | 'plan-not-reachable'
    | 'past-planned-size'
    | 'plan-changed'
    | 'other-metric'
    | 'fallbacks-differ';
  readonly message: string;
}

/** `GET /v1/experiments/:key/results` */
export interface ExperimentResults {
  readonly experiment: string;
  readonly title?: string;
  readonly status: string;
  readonly phase: number;
  readonly metric: string;
  /** Every metric that something was reported for. */
  readonly metrics: readonly string[];
  /** When it was computed; ISO 8601, UTC. */
  readonly at: string;
  readonly trust: Trust;
  /** One sentence, of the raw population. */
  readonly verdict: string;
  readonly warnings: readonly ResultsWarning[];
  readonly excluded: readonly Exclusion[];
  readonly counts: ExperimentCounts;
  readonly analyses: Readonly<Record<Population, PopulationAnalysis>>;
}
