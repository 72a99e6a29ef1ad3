import type { Snapshot } from '@turnout/contracts';
import {
  byPriority,
  compileExperiment,
  compileExperiments,
  type Experiment,
  type ExperimentSet,
  type Variant,
} from '@turnout/router-core';
import type { Destination } from './destination.ts';

/**
 * The experiments of one snapshot, compiled. A request takes them once, when its decision
 * begins, and is decided by them alone: a newer snapshot never meets an older one in it.
 */
export interface Live {
  /** Of the snapshot; 0 for the seeds of the configuration. */
  readonly revision: number;
  /** Without drafts. */
  readonly set: ExperimentSet;
  /** As they are written down, drafts too. */
  readonly definitions: Snapshot['experiments'];
  /** Any of them, drafts too: what a preview may show. */
  experiment(key: string): Experiment | undefined;
  /** Where those who are assigned to a variant go; counted for it. */
  destinationOf(variant: Variant): Destination;
  /** Where those who are served a variant without being assigned go; counted for none. */
  destinationOutside(variant: Variant): Destination;
}

/**
 * The revision that an event carries: the snapshot's, or the experiment's own while the seeds of
 * the configuration decide, which have no number.
 */
export function revisionFor(live: Live, experiment: string): number {
  return live.revision > 0 ? live.revision : (live.experiment(experiment)?.revision ?? 1);
}

/**
 * @param previous what was compiled of the experiments that have not changed is taken from it
 * @throws {Error} for an experiment that can't be compiled, or an upstream that is not there
 */
export function compileLive(
  { revision, experiments }: Pick<Snapshot, 'revision' | 'experiments'>,
  destination: (upstream: string) => Destination,
  previous?: Live,
): Live {
  const set = compileExperiments(experiments, previous?.set);
  const drafts = experiments
    .filter(({ status }) => status === 'draft')
    .map((draft) => compileExperiment(draft));
  const withDrafts = [...set.experiments, ...drafts];
  // By the variant itself, so that the request path builds no keys; and all of them now, so
  // that a snapshot that can't be used fails as a whole.
  const assigned = new Map<Variant, Destination>();
  const outside = new Map<Variant, Destination>();
  for (const { key, variants } of withDrafts) {
    for (const variant of variants) {
      const { upstream, traffic } = destination(variant.upstream);
      assigned.set(variant, {
        upstream,
        traffic: { ...traffic, experiment: key, variant: variant.key },
      });
      outside.set(variant, { upstream, traffic: { ...traffic, experiment: key } });
    }
  }
  const byKey = new Map(withDrafts.map((experiment) => [experiment.key, experiment]));
  return {
    revision,
    set,
    definitions: byPriority(experiments),
    experiment: (key) => byKey.get(key),
    destinationOf: (variant) => assigned.get(variant) ?? destination(variant.upstream),
    destinationOutside: (variant) => outside.get(variant) ?? destination(variant.upstream),
  };
}
