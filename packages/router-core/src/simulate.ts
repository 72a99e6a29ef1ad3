import { createHash } from 'node:crypto';
import { planChange } from './allocation.ts';
import type { Meaning } from './allocation.ts';
import {
  isHoldout,
  isInLayer,
  proposeFromHash,
  proposeFromMirror,
  selectExperiment,
  withoutAssignment,
} from './assignment.ts';
import type { RequestTraits } from './rules/request-traits.ts';
import { compileExperiment, isInForce } from './experiment.ts';
import type { Experiment, ExperimentDefinition } from './experiment.ts';
import { OUTSIDE } from './move-preview.ts';
import { visitorId } from './visitor-cookie.ts';
import type { MirrorEntry, VisitorId } from './visitor-cookie.ts';

/**
 * A population of visitors, through a set of experiments before and after a change: who would
 * be where, decided by the very functions that decide for requests. Nothing is counted or kept.
 */

export interface SimulatedRequest {
  readonly visitor: VisitorId;
  /** Where it went, for scope and audience. Without it, the visitor is asked in every experiment. */
  readonly request?: RequestTraits;
}

export interface SimulatedChange {
  /** All experiments as they are. */
  readonly before: readonly ExperimentDefinition[];
  /**
   * All experiments as they are wanted, in the order in which they are matched. One that is
   * the very object of `before` is not changed, also not by a new phase.
   */
  readonly after: readonly ExperimentDefinition[];
  readonly meaning: Meaning;
}

/**
 * Visitors by where they are: a variant's key; else why they are not assigned (`holdout`,
 * `paused`, `killed`, `concluded`); else `outside`: the experiment is not there or is a draft,
 * or layer, scope, audience or an experiment before it kept them out.
 */
export type Split = Readonly<Record<string, number>>;

export interface SimulatedExperiment {
  readonly experiment: string;
  /** Visitors who were in the experiment before, after, or both. */
  readonly visitors: number;
  readonly before: Split;
  readonly after: Split;
  /** How many went from one place to which; those who stay too. */
  readonly transitions: Readonly<Record<string, Split>>;
  /** How many had a variant and have another place after. */
  readonly moved: number;
}

export interface Simulation {
  /** Different visitors in the input. */
  readonly visitors: number;
  /** In the order of `after`, then those that are gone. */
  readonly experiments: readonly SimulatedExperiment[];
}

/** Where one visitor is, by experiment. */
type Places = Map<string, string>;

/**
 * Simulates a change. Takes visitors to have what the hash says before it: who kept another
 * variant through earlier changes is not in the documents. A paused, killed or concluded
 * experiment is taken to have assigned its visitors while it ran.
 *
 * Holds every visitor of the input in memory, some 200 bytes and their places each.
 *
 * @throws ExperimentError for an experiment that cannot run, or another salt without a new phase
 * @throws RangeError for weights that are none
 */
export function simulate(
  { before, after, meaning }: SimulatedChange,
  requests: Iterable<SimulatedRequest>,
): Simulation {
  const old = new Map(before.map((definition) => [definition.key, definition]));
  const earlier = before.map((definition) => compileExperiment(definition));
  const later = after.map((definition) => {
    const origin = old.get(definition.key);
    if (definition === origin) return compileExperiment(definition);
    return compileExperiment(planChange(origin, definition, meaning).definition);
  });
  const origins = new Map(earlier.map((experiment) => [experiment.key, experiment]));

  const population = new Map<VisitorId, { before: Places; after: Places }>();
  for (const { visitor, request } of requests) {
    const places = population.get(visitor) ?? { before: new Map(), after: new Map() };
    population.set(visitor, places);
    for (const experiment of concerned(earlier, visitor, request)) {
      places.before.set(
        experiment.key,
        place(experiment, visitor, assignedBy(experiment, visitor)),
      );
    }
    for (const experiment of concerned(later, visitor, request)) {
      const remembered = assignedBy(origins.get(experiment.key), visitor);
      places.after.set(experiment.key, place(experiment, visitor, remembered));
    }
  }

  const keys = new Set([...later, ...earlier].map(({ key }) => key));
  return {
    visitors: population.size,
    experiments: [...keys].map((key) =>
      summarise(
        key,
        new Set(origins.get(key)?.variantKeys),
        [...population.values()].map((places) => [
          places.before.get(key) ?? OUTSIDE,
          places.after.get(key) ?? OUTSIDE,
        ]),
      ),
    ),
  };
}

/** So many made-up visitors, the same for the same seed. */
export function* drawVisitors(size: number, seed: string): Generator<VisitorId, void> {
  for (let n = 0; n < size; n += 1) {
    const digest = createHash('sha256').update(`${seed}:${n}`).digest();
    yield visitorId(digest.subarray(0, 16).toString('base64url'));
  }
}

/** The experiments that decide about the visitor's request, or about any that they could send. */
function concerned(
  experiments: readonly Experiment[],
  id: VisitorId,
  request: RequestTraits | undefined,
): readonly Experiment[] {
  if (request === undefined) {
    return experiments.filter(
      (experiment) => isInForce(experiment.status) && isInLayer(experiment, id),
    );
  }
  const selected = selectExperiment(experiments, request, id);
  return selected === undefined ? [] : [selected];
}

function place(experiment: Experiment, id: VisitorId, remembered: MirrorEntry | undefined): string {
  const unassigned = withoutAssignment(experiment, id);
  if (unassigned !== undefined) return unassigned.source;
  const mirror = remembered === undefined ? [] : [remembered];
  const known = proposeFromMirror(experiment, { id, mirror });
  if (known === undefined && experiment.status === 'paused') return 'paused';
  return (known ?? proposeFromHash(experiment, id)).variant.key;
}

/** What the visitor's cookie says by the time of the change; undefined if it says nothing. */
function assignedBy(experiment: Experiment | undefined, id: VisitorId): MirrorEntry | undefined {
  if (experiment === undefined || !isInForce(experiment.status)) return undefined;
  if (!isInLayer(experiment, id) || isHoldout(experiment, id)) return undefined;
  const { variant, phase } = proposeFromHash(experiment, id);
  return { experiment: experiment.key, variant: variant.key, phase };
}

function summarise(
  experiment: string,
  variants: ReadonlySet<string>,
  all: readonly (readonly [before: string, after: string])[],
): SimulatedExperiment {
  const visitors = all.filter((places) => places.some((where) => where !== OUTSIDE));
  const origins = Map.groupBy(visitors, ([before]) => before);
  return {
    experiment,
    visitors: visitors.length,
    before: count(visitors.map(([before]) => before)),
    after: count(visitors.map(([, after]) => after)),
    transitions: Object.fromEntries(
      [...origins].map(([before, group]) => [before, count(group.map(([, after]) => after))]),
    ),
    moved: visitors.filter(([before, after]) => variants.has(before) && before !== after).length,
  };
}

function count(places: readonly string[]): Split {
  const groups = Map.groupBy(places, (where) => where);
  return Object.fromEntries([...groups].map(([where, group]) => [where, group.length]));
}
