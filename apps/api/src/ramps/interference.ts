import type { ExperimentRecord } from '@turnout/contracts/management';
import type { Ramp } from './ramp.ts';

/** What somebody else did to the experiment of a ramp. */
export type Interference =
  /** The ramp is not to act any more. */
  | { readonly kind: 'stop'; readonly reason: string }
  /** What was counted does not belong to what runs now: the step begins anew. */
  | { readonly kind: 'begin-anew' };

/**
 * Looks whether somebody else changed the experiment. Whoever sets coverage or status by hand
 * takes over from the ramp; other changes, such as of weights, leave it be.
 */
export function interference(
  { coverage, revision }: Ramp,
  experiment: ExperimentRecord | undefined,
): Interference | undefined {
  if (experiment === undefined) return { kind: 'stop', reason: 'the experiment is gone' };
  const { document, author, reason } = experiment;
  const by = `${author} at revision ${experiment.revision}: ${reason}`;
  if (document.status !== 'running') {
    return { kind: 'stop', reason: `the experiment is ${document.status}, by ${by}` };
  }
  if (document.coverage !== coverage) {
    const change = `${coverage} to ${document.coverage}`;
    return { kind: 'stop', reason: `the coverage was changed from ${change}, by ${by}` };
  }
  return experiment.revision === revision ? undefined : { kind: 'begin-anew' };
}
