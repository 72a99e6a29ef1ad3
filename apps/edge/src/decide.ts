import {
  isInLayer,
  selectExperiment,
  withMirrorEntry,
  type AssignmentResult,
  type CookieReading,
  type Experiment,
  type MirrorEntry,
  type RequestTraits,
  type Visitor,
  type VisitorCookie,
  type VisitorId,
} from '@turnout/router-core';
import type { Destination, Edge, Testing } from './edge.ts';
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
  readonly source?: AssignmentResult['source'] | 'cookieless';
  readonly visitor?: VisitorId;
  /** For the upstream: `<experiment>=<variant>`, several joined by commas. */
  readonly assignments?: string;
  /** To be set with the response. */
  readonly cookie?: string;
  /** The phase in which to count the visitor, once the page has been served. */
  readonly countIn?: number;
}

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
  const inScope = testing?.experiments.some((experiment) => experiment.inScope(request)) ?? false;
  const elsewhere = { destination: fallback, variesByVisitor: inScope };
  if (testing === undefined || !inScope) return elsewhere;
  const candidate = testing.experiments.find(
    (experiment) => experiment.inScope(request) && experiment.admits(request),
  );
  if (candidate === undefined) return elsewhere;

  const reading = testing.cookies.read(request.cookie);
  edge.metrics.visitorCookies.inc({ outcome: reading.status });
  if (reading.status !== 'valid') {
    const forAll = servedToAll(candidate);
    if (forAll !== undefined) return unassigned(edge, forAll);
    // What loads in the background never makes a visitor: it gets control, uncounted.
    if (kind !== 'navigation') {
      const { key, control } = candidate;
      return unassigned(edge, { experiment: key, variant: control, source: 'cookieless' });
    }
  }
  const visitor = visitorOf(reading, testing.cookies);
  if (visitor.minted) edge.metrics.visitorCookies.inc({ outcome: 'minted' });

  const follow = (result: AssignmentResult): Decision =>
    withCookie(testing, visitor, reading, [result], kind, assignedTo(edge, visitor, result, kind));
  const experiment = selectExperiment(testing.experiments, request, visitor.id);
  // Layers give this visitor to experiments that are not about this request. The id is kept
  // all the same: drawn afresh at each visit, it would fall into a layer's slots sooner or later.
  if (experiment === undefined) {
    return withCookie(testing, visitor, reading, [], kind, { ...elsewhere, visitor: visitor.id });
  }
  const result = testing.assigner.assign(visitor, experiment);
  return result instanceof Promise ? result.then(follow) : follow(result);
}

/**
 * Traffic that a route owns goes there whoever asks. Its upstream is told who visits, by the
 * cookie alone, since what a visitor does there (a sign-up by a script) is part of the test.
 */
export function decideOwned(
  { testing }: Edge,
  destination: Destination,
  cookie: string | undefined,
): Decision {
  const reading = testing?.cookies.read(cookie);
  if (reading?.status !== 'valid') return { destination, variesByVisitor: false };
  const { id, mirror } = reading;
  const owned = { destination, variesByVisitor: false, visitor: id };
  if (mirror.length === 0) return owned;
  const assignments = mirror.map(({ experiment, variant }) => `${experiment}=${variant}`);
  return { ...owned, assignments: assignments.join(', ') };
}

/** Who sent the request: the cookie's visitor, or a new one. */
export function visitorOf(reading: CookieReading, cookies: VisitorCookie): Visitor {
  return reading.status === 'valid'
    ? { id: reading.id, mirror: reading.mirror, minted: false }
    : { id: cookies.mint(), mirror: [], minted: true };
}

/** The cookie to set after these results; undefined if the one that was sent still holds. */
export function cookieAfter(
  cookies: VisitorCookie,
  visitor: Visitor,
  reading: CookieReading,
  results: readonly AssignmentResult[],
): string | undefined {
  let mirror: readonly MirrorEntry[] = visitor.mirror;
  for (const result of results) {
    if (result.kind !== 'assigned') continue;
    const { experiment, variant, phase } = result;
    mirror = withMirrorEntry(mirror, { experiment, variant: variant.key, phase });
  }
  const isStale = reading.status === 'valid' && reading.stale;
  if (!visitor.minted && !isStale && mirror === visitor.mirror) return undefined;
  return cookies.serialise(visitor.id, mirror);
}

/** The experiments that a visitor can be in, whatever page they open next. */
export function experimentsFor(
  { experiments }: Testing,
  request: RequestTraits,
  id: VisitorId,
): Experiment[] {
  return experiments.filter(
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

/** Served without being assigned: counted for the upstream, and for no variant. */
function unassigned(edge: Edge, { experiment, variant, source }: Served): Decision {
  return {
    destination: edge.destinationOutside(experiment, variant),
    variesByVisitor: true,
    experiment,
    variant: variant.key,
    source,
  };
}

function assignedTo(
  edge: Edge,
  visitor: Visitor,
  result: AssignmentResult,
  kind: RequestKind,
): Decision {
  const { experiment, variant, source } = result;
  edge.metrics.assignments.inc({ experiment, variant: variant.key, source });
  if (result.kind === 'unassigned') return { ...unassigned(edge, result), visitor: visitor.id };
  const decision = {
    destination: edge.destinationOf(experiment, variant),
    variesByVisitor: true,
    experiment,
    variant: variant.key,
    source,
    visitor: visitor.id,
    assignments: `${experiment}=${variant.key}`,
  };
  return kind === 'navigation' ? { ...decision, countIn: result.phase } : decision;
}

/** Only a navigation sets the cookie: of many requests at once, one writes. */
function withCookie(
  { cookies }: Testing,
  visitor: Visitor,
  reading: CookieReading,
  results: readonly AssignmentResult[],
  kind: RequestKind,
  decision: Decision,
): Decision {
  if (kind !== 'navigation') return decision;
  const cookie = cookieAfter(cookies, visitor, reading, results);
  return cookie === undefined ? decision : { ...decision, cookie };
}
