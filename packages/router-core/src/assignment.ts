import { isInForce } from './experiment.ts';
import type { Experiment, Variant } from './experiment.ts';
import { isCount } from './keys.ts';
import type { RequestTraits } from './rules/request-traits.ts';
import { SLOTS, coverageSlot, layerSlot, slotOf } from './slots.ts';
import { departs } from './store.ts';
import type { Departure, StoredAssignment } from './store.ts';
import type { MirrorEntry, VisitorId } from './visitor-cookie.ts';

/**
 * The decision, as pure functions. In order: scope, audience, layer (which experiment is
 * it?), then killed and concluded, which hold for all its visitors; coverage; paused;
 * and at last the assignment itself, which the ledger remembers and the hash proposes.
 */

/** Where an assignment was found. */
export type AssignmentSource = 'cache' | 'store' | 'mirror' | 'hash';

/** Why a visitor is served a variant without being assigned to it. Not to be counted. */
export type UnassignedReason = 'draft' | 'archived' | 'holdout' | 'paused' | 'killed' | 'concluded';

export interface Assigned {
  readonly kind: 'assigned';
  readonly experiment: string;
  readonly variant: Variant;
  readonly source: AssignmentSource;
  /** That of the assignment: newer than the experiment's when this process lags behind. */
  readonly phase: number;
  readonly revision: number;
}

export interface Unassigned {
  readonly kind: 'unassigned';
  readonly experiment: string;
  /** What to serve all the same. */
  readonly variant: Variant;
  readonly source: UnassignedReason;
}

export type AssignmentResult = Assigned | Unassigned;

/** The visitor of a request. */
export interface Visitor {
  readonly id: VisitorId;
  readonly mirror: readonly MirrorEntry[];
  /** Minted for this very request, so no store can know the visitor. */
  readonly minted: boolean;
}

/**
 * The experiment that a request of a visitor belongs to: the first that is in force,
 * whose scope and audience take the request, and whose layer slots hold the visitor.
 */
export function selectExperiment(
  experiments: readonly Experiment[],
  request: RequestTraits,
  id: VisitorId,
): Experiment | undefined {
  return experiments.find(
    (experiment) =>
      isInForce(experiment.status) &&
      experiment.inScope(request) &&
      experiment.admits(request) &&
      isInLayer(experiment, id),
  );
}

/** Whether the experiment's slots of its layer hold the visitor. */
export function isInLayer({ layer }: Experiment, id: VisitorId): boolean {
  if (layer === undefined) return true;
  const [first, end] = layer.slots;
  if (first === 0 && end === SLOTS) return true;
  const slot = layerSlot(layer.name, id);
  return first <= slot && slot < end;
}

/** Whether the visitor is one of those that the experiment leaves out. */
export function isHoldout({ coverage, salt, phase }: Experiment, id: VisitorId): boolean {
  return coverage < SLOTS && coverageSlot(salt, phase, id) >= coverage;
}

/** What the hash alone says: the same answer for the same input, for ever. */
export function propose(experiment: Experiment, id: VisitorId): Variant | 'holdout' {
  if (isHoldout(experiment, id)) return 'holdout';
  return proposeFromHash(experiment, id).variant;
}

/** What the experiment says before any assignment is looked up; undefined to go on. */
export function withoutAssignment(experiment: Experiment, id: VisitorId): Unassigned | undefined {
  const { key, status, control, winner } = experiment;
  if (status === 'draft' || status === 'archived' || status === 'killed') {
    return { kind: 'unassigned', experiment: key, variant: control, source: status };
  }
  if (status === 'concluded') {
    return { kind: 'unassigned', experiment: key, variant: winner, source: status };
  }
  return isHoldout(experiment, id)
    ? { kind: 'unassigned', experiment: key, variant: control, source: 'holdout' }
    : undefined;
}

const NOBODY_LEAVES: readonly Departure[] = [];

/** What mirror or hash say, not yet agreed with the ledger. */
export interface Proposal {
  readonly variant: Variant;
  readonly phase: number;
  readonly revision: number;
  readonly source: 'mirror' | 'hash';
}

/** What the cookie says of this phase or a newer one. The variant may be gone meanwhile. */
export function mirrorEntryOf(
  experiment: Experiment,
  mirror: readonly MirrorEntry[],
): MirrorEntry | undefined {
  const entry = mirror.find((candidate) => candidate.experiment === experiment.key);
  return entry === undefined || entry.phase < experiment.phase ? undefined : entry;
}

/**
 * The cookie's proposal: what it says, or where a move leads from there. The cookie does not
 * know which revision assigned it, so it is taken as older than any move of its phase.
 */
export function proposeFromMirror(
  experiment: Experiment,
  { id, mirror }: Pick<Visitor, 'id' | 'mirror'>,
): Proposal | undefined {
  const entry = mirrorEntryOf(experiment, mirror);
  const variant = entry && experiment.variant(entry.variant);
  if (entry === undefined || variant === undefined) return undefined;
  if (isMoved(experiment, id, { ...entry, revision: 0 })) {
    // All moves of a slot lead to the variant that owns it.
    return { ...proposeFromHash(experiment, id), source: 'mirror' };
  }
  return { variant, phase: entry.phase, revision: experiment.revision, source: 'mirror' };
}

/** The variants that this visitor has to leave. Costs nothing where nothing ever moved. */
export function departuresOf(experiment: Experiment, id: VisitorId): readonly Departure[] {
  if (experiment.movedFrom.size === 0) return NOBODY_LEAVES;
  return experiment.departures(slotOf(experiment.salt, experiment.phase, id));
}

/** Whether a move leads the visitor away from what was assigned. */
export function isMoved(
  experiment: Experiment,
  id: VisitorId,
  assignment: StoredAssignment,
): boolean {
  return (
    experiment.movedFrom.has(assignment.variant) &&
    assignment.phase === experiment.phase &&
    departs(assignment, departuresOf(experiment, id))
  );
}

/** What the hash says, holdout and status left aside. */
export function proposeFromHash(experiment: Experiment, id: VisitorId): Proposal {
  const { salt, phase, revision } = experiment;
  return {
    variant: experiment.variantAt(slotOf(salt, phase, id)),
    phase,
    revision,
    source: 'hash',
  };
}

/** The result for an assignment that still holds: known variant, same phase or newer. */
export function assigned(
  experiment: Experiment,
  { variant: key, phase, revision }: StoredAssignment,
  source: AssignmentSource,
): Assigned | undefined {
  // Somebody else's hand may have been in the store: no cookie could hold such a phase.
  if (!isCount(phase) || phase < experiment.phase) return undefined;
  const variant = experiment.variant(key);
  if (variant === undefined) return undefined;
  return { kind: 'assigned', experiment: experiment.key, variant, source, phase, revision };
}
