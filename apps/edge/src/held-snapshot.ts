import type { UsableExperiment } from '@turnout/contracts';

/** An experiment as the primary holds it: a text for the workers, and what it has to know itself. */
export interface HeldExperiment {
  readonly key: string;
  readonly phase: number;
  /** Keys of the variants. */
  readonly variants: readonly string[];
  /** The document as JSON. */
  readonly text: string;
}

/** What to decide by, held by the primary and never changed. */
export interface HeldSnapshot {
  /** 0 for the seeds of the configuration. */
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** An experiment that has not changed is the same object in the next snapshot. */
  readonly experiments: readonly HeldExperiment[];
}

/** As the primary is to hold it. */
export function heldExperiment({ document, text }: UsableExperiment): HeldExperiment {
  const { key, phase, variants } = document;
  return { key, phase, variants: variants.map((variant) => variant.key), text };
}
