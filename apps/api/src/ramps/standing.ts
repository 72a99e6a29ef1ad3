import type { ExperimentRecord } from '@turnout/contracts/management';
import type { Ramp } from './ramp.ts';

/** How a ramp finds its experiment. */
export type Standing =
  | { readonly kind: 'as-left'; readonly experiment: ExperimentRecord }
  /** What was counted does not belong to what runs now: the step begins anew. */
  | { readonly kind: 'changed'; readonly experiment: ExperimentRecord }
  /** The ramp is not to act any more. */
  | { readonly kind: 'taken-over'; readonly reason: string };

/**
 * Looks whether somebody else changed the experiment. Whoever sets coverage or status by hand
 * takes over from the ramp; other changes, such as of weights, leave it be.
 */
export function standing(
  { coverage, revision }: Ramp,
  experiment: ExperimentRecord | undefined,
): Standing {
  if (experiment === undefined) return { kind: 'taken-over', reason: 'the experiment is gone' };
  const { document, author } = experiment;
  const by = `by ${author} at revision ${experiment.revision}: ${experiment.reason}`;
  if (document.status !== 'running') {
    return { kind: 'taken-over', reason: `the experiment is ${document.status}, ${by}` };
  }
  if (document.coverage !== coverage) {
    const change = `from ${coverage} to ${document.coverage}`;
    return { kind: 'taken-over', reason: `the coverage was changed ${change}, ${by}` };
  }
  return { kind: experiment.revision === revision ? 'as-left' : 'changed', experiment };
}
