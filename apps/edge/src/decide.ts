import {
  isInLayer,
  proposeFromMirror,
  withMirrorEntry,
  withoutAssignment,
  type Assigner,
  type AssignmentResult,
  type CookieReading,
  type Experiment,
  type MirrorEntry,
  type Preview,
  type RequestTraits,
  type Variant,
  type Visitor,
  type VisitorCookie,
  type VisitorId,
} from '@turnout/router-core';
import type { Destination } from './destination.ts';
import type { Edge, Testing } from './edge.ts';
import { revisionFor, type Live } from './live.ts';
import type { RequestKind } from './request-kind.ts';

/** Where a request goes, and why. */
export interface Decision {
  readonly destination: Destination;
  /** Another visitor might get another page at this address: nothing for shared caches. */
  readonly variesByVisitor: boolean;
  /** The experiment that decided; undefined where none did. */
  readonly experiment?: string;
  readonly variant?: string;
  /** How the variant was found, or why nobody is assigned; see the glossary. */
  readonly source?: AssignmentResult['source'] | 'cookieless' | 'forced' | 'preview' | 'no-consent';
  /** Of the snapshot that decided; undefined where experiments were not asked. */
  readonly revision?: number;
  readonly visitor?: VisitorId;
  /** Whose cookie came with the request, told to the upstream or not; nobody during a preview. */
  readonly returned?: ReturningVisitor | undefined;
  /** For the upstream: `<experiment>=<variant>`, several joined by commas. */
  readonly assignments?: string;
  /** To be set with the response. */
  readonly cookie?: string;
  /** How to count the visitor, once the page goes out. */
  readonly exposure?: { readonly phase: number; readonly revision: number };
  /** Whoever asks holds a preview token: they are told how this was decided. */
  readonly preview?: Preview;
}

/** A visitor who was known before, and what their cookie repeats. */
export type ReturningVisitor = Pick<Visitor, 'id' | 'mirror'>;

/**
 * Decides where a request goes that no route owns: visitor, experiment, assignment.
 * Answers at once unless the ledger has to be asked.
 */
export function decide(
  edge: Edge,
  request: RequestTraits,
  kind: RequestKind,
): Decision | Promise<Decision> {
  const { testing, fallback } = edge;
  if (testing === undefined) {
    return { destination: fallback, variesByVisitor: edge.routes.looksAtVisitor(request) };
  }
  // Taken once: one snapshot decides all of this request, however long the ledger takes.
  const { live } = testing;
  const preview = testing.previews.of(request.cookie);
  if (preview !== undefined) return decidePreviewed(edge, testing, live, request, preview);
  return decideBy(edge, testing, live, request, kind);
}

/**
 * The decision by one snapshot.
 *
 * @param kind `previewed`: whoever sent it is nobody, whatever their cookie says
 */
function decideBy(
  edge: Edge,
  testing: Testing,
  live: Live,
  request: RequestTraits,
  kind: RequestKind | 'previewed',
): Decision | Promise<Decision> {
  const { revision } = live;
  const scoped = live.set.inScope(request);
  const elsewhere = {
    destination: edge.fallback,
    variesByVisitor:
      scoped.length > 0 || live.set.mayConcern(request) || edge.routes.looksAtVisitor(request),
    revision,
  };
  const admitting = scoped.filter((experiment) => experiment.admits(request));
  const [candidate] = admitting;
  if (candidate === undefined) return { ...elsewhere, returned: returning(testing, request) };

  const forced = forcedBy(admitting, request);
  if (forced !== undefined) {
    return { ...unassigned(live, forced), returned: returning(testing, request) };
  }
  if (!testing.consents(request)) {
    const { key, control } = candidate;
    const forAll = servedToAll(candidate);
    return unassigned(live, forAll ?? { experiment: key, variant: control, source: 'no-consent' });
  }

  const cookies = testing.cookies(request.secure);
  const reading: CookieReading =
    kind === 'previewed' ? { status: 'absent' } : cookies.read(request.cookie);
  if (kind !== 'previewed') edge.metrics.visitorCookies.inc({ outcome: reading.status });
  if (reading.status !== 'valid') {
    const forAll = servedToAll(candidate);
    if (forAll !== undefined) return unassigned(live, forAll);
    // What loads in the background never makes a visitor: it gets control, uncounted.
    if (kind !== 'navigation') {
      const { key, control } = candidate;
      return unassigned(live, { experiment: key, variant: control, source: 'cookieless' });
    }
  }
  const visitor = visitorOf(reading, cookies);
  if (visitor.minted) edge.metrics.visitorCookies.inc({ outcome: 'minted' });

  const follow = (result: AssignmentResult): Decision =>
    withCookie(
      testing,
      { cookies, reading, visitor },
      [result],
      kind,
      assignedTo(edge, live, visitor, result, kind),
    );
  const experiment = admitting.find((candidateOfLayer) => isInLayer(candidateOfLayer, visitor.id));
  // Layers give this visitor to experiments that are not about this request. The id is kept
  // all the same: drawn afresh at each visit, it would fall into a layer's slots sooner or later.
  if (experiment === undefined) {
    const returned = returnedAs(visitor);
    const decision = { ...elsewhere, visitor: visitor.id, returned };
    return withCookie(testing, { cookies, reading, visitor }, [], kind, decision);
  }
  const result = testing.assigner.assign(visitor, experiment);
  return result instanceof Promise ? result.then(follow) : follow(result);
}

/**
 * What the holder of a preview token gets: the variant that it names, wherever its experiment
 * is about the request, drafts and ended ones too. Elsewhere they are somebody who never made
 * a visitor. Either way they are counted nowhere.
 */
function decidePreviewed(
  edge: Edge,
  testing: Testing,
  live: Live,
  request: RequestTraits,
  preview: Preview,
): Decision | Promise<Decision> {
  const experiment = live.experiment(preview.experiment);
  const variant = experiment?.variant(preview.variant);
  if (experiment !== undefined && variant !== undefined && experiment.inScope(request)) {
    const shown = { experiment: experiment.key, variant, source: 'preview' } as const;
    return { ...unassigned(live, shown), preview };
  }
  const decision = decideBy(edge, testing, live, request, 'previewed');
  const shown = (settled: Decision): Decision => ({ ...settled, preview, returned: undefined });
  return decision instanceof Promise ? decision.then(shown) : shown(decision);
}

/**
 * Traffic that a route owns goes there whoever asks. Its upstream is told who visits, by the
 * cookie alone, since what a visitor does there (a sign-up by a script) is part of the test.
 */
export function decideOwned(
  { testing, routes }: Edge,
  destination: Destination,
  request: RequestTraits,
): Decision {
  const variesByVisitor = routes.looksAtVisitor(request);
  if (testing === undefined) return { destination, variesByVisitor };
  const preview = testing.previews.of(request.cookie);
  // A previewing visitor's sign-ups belong to no variant.
  if (preview !== undefined) return { destination, variesByVisitor, preview };
  const returned = returning(testing, request);
  if (returned === undefined) return { destination, variesByVisitor };
  const { id, mirror } = returned;
  const owned = { destination, variesByVisitor, visitor: id, returned };
  const assignments = mirror.flatMap(({ experiment: key }) => {
    const experiment = testing.live.experiment(key);
    const variant = experiment && assignedBy(experiment, id, mirror);
    return variant === undefined ? [] : [`${key}=${variant.key}`];
  });
  return assignments.length === 0 ? owned : { ...owned, assignments: assignments.join(', ') };
}

/** What the cookie says, where the experiment still assigns its visitor: as its pages are told. */
function assignedBy(
  experiment: Experiment,
  id: VisitorId,
  mirror: readonly MirrorEntry[],
): Variant | undefined {
  if (withoutAssignment(experiment, id) !== undefined || !isInLayer(experiment, id)) {
    return undefined;
  }
  return proposeFromMirror(experiment, { id, mirror })?.variant;
}

/** Whose valid cookie came with the request, if they consent to be known. */
export function returning(
  { cookies, consents }: Testing,
  request: RequestTraits,
): ReturningVisitor | undefined {
  const reading = cookies(request.secure).read(request.cookie);
  return reading.status === 'valid' && consents(request) ? reading : undefined;
}

function returnedAs(visitor: Visitor): ReturningVisitor | undefined {
  return visitor.minted ? undefined : visitor;
}

/** Who sent the request: the cookie's visitor, or a new one. */
export function visitorOf(reading: CookieReading, cookies: VisitorCookie): Visitor {
  return reading.status === 'valid'
    ? { id: reading.id, mirror: reading.mirror, minted: false }
    : { id: cookies.mint(), mirror: [], minted: true };
}

/** Who sent a request, and by which cookie they are known. */
interface Sender {
  readonly cookies: VisitorCookie;
  readonly reading: CookieReading;
  readonly visitor: Visitor;
}

/** The cookie to set after these results; undefined if the one that was sent still holds. */
export function cookieAfter(
  assigner: Assigner,
  { cookies, reading, visitor }: Sender,
  results: readonly AssignmentResult[],
): string | undefined {
  let mirror: readonly MirrorEntry[] = visitor.mirror;
  for (const result of results) {
    if (result.kind !== 'assigned') continue;
    const { experiment, variant, phase } = result;
    const next = withMirrorEntry(mirror, { experiment, variant: variant.key, phase });
    if (next === mirror) continue;
    mirror = next;
    assigner.told(visitor.id, experiment);
  }
  const isStale = reading.status === 'valid' && reading.stale;
  if (!visitor.minted && !isStale && mirror === visitor.mirror) return undefined;
  return cookies.serialise(visitor.id, mirror);
}

/** The experiments that a visitor can be in, whatever page they open next. */
export function experimentsFor({ set }: Live, request: RequestTraits, id: VisitorId): Experiment[] {
  return set.experiments.filter(
    (experiment) => experiment.admits(request) && isInLayer(experiment, id),
  );
}

type Served = Pick<AssignmentResult, 'experiment' | 'variant'> & {
  readonly source: NonNullable<Decision['source']>;
};

/** What everybody gets, so that nobody has to be known; in a layer it depends on the visitor. */
function servedToAll({ key, status, layer, control, winner }: Experiment): Served | undefined {
  if (layer !== undefined) return undefined;
  if (status === 'killed') return { experiment: key, variant: control, source: status };
  if (status === 'concluded') return { experiment: key, variant: winner, source: status };
  return undefined;
}

/** A rule of an experiment forces a variant on the request; a killed or concluded one is past its rules. */
function forcedBy(experiments: readonly Experiment[], request: RequestTraits): Served | undefined {
  for (const experiment of experiments) {
    const { key, status } = experiment;
    if (status !== 'running' && status !== 'paused') continue;
    const variant = experiment.forcedVariant(request);
    if (variant !== undefined) return { experiment: key, variant, source: 'forced' };
  }
  return undefined;
}

/** Served without being assigned: counted for the upstream, and for no variant. */
function unassigned(live: Live, { experiment, variant, source }: Served): Decision {
  return {
    destination: live.destinationOutside(variant),
    variesByVisitor: true,
    experiment,
    variant: variant.key,
    source,
    revision: live.revision,
  };
}

function assignedTo(
  edge: Edge,
  live: Live,
  visitor: Visitor,
  result: AssignmentResult,
  kind: RequestKind | 'previewed',
): Decision {
  const { experiment, variant, source } = result;
  edge.metrics.assignments.inc({ experiment, variant: variant.key, source });
  const returned = returnedAs(visitor);
  if (result.kind === 'unassigned') {
    return { ...unassigned(live, result), visitor: visitor.id, returned };
  }
  const decision = {
    destination: live.destinationOf(variant),
    variesByVisitor: true,
    experiment,
    variant: variant.key,
    source,
    revision: live.revision,
    visitor: visitor.id,
    returned,
    assignments: `${experiment}=${variant.key}`,
  };
  if (kind !== 'navigation') return decision;
  const exposure = { phase: result.phase, revision: revisionFor(live, experiment) };
  return { ...decision, exposure };
}

/** Only a navigation sets the cookie: of many requests at once, one writes. */
function withCookie(
  { assigner }: Testing,
  sender: Sender,
  results: readonly AssignmentResult[],
  kind: RequestKind | 'previewed',
  decision: Decision,
): Decision {
  if (kind !== 'navigation') return decision;
  const cookie = cookieAfter(assigner, sender, results);
  return cookie === undefined ? decision : { ...decision, cookie };
}
