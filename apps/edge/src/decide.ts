import {
  selectExperiment,
  withMirrorEntry,
  type AssignmentResult,
  type Experiment,
  type RequestTraits,
  type Visitor,
  type VisitorId,
} from '@turnout/router-core';
import type { Destination, Edge, Testing } from './edge.ts';
import type { RequestKind } from './request-kind.ts';

/** Where a request goes, and why. */
export interface Decision {
  readonly destination: Destination;
  /** The experiment that decided; undefined where none is about the request. */
  readonly experiment?: string;
  readonly variant?: string;
  /** How the variant was found, or why control is served; see the glossary. */
  readonly source?: AssignmentResult['source'] | 'cookieless';
  readonly visitor?: VisitorId;
  /** For the upstream: `<experiment>=<variant>`, several joined by commas. */
  readonly assignments?: string;
  /** To be set with the response. */
  readonly cookie?: string;
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
  const candidate = testing?.experiments.find((experiment) => experiment.matches(request));
  if (testing === undefined || candidate === undefined) return { destination: fallback };

  const reading = testing.cookies.read(request.cookie);
  edge.metrics.visitorCookies.inc({ outcome: reading.status });
  if (reading.status !== 'valid' && kind !== 'navigation') return cookieless(edge, candidate);

  const visitor: Visitor =
    reading.status === 'valid'
      ? { id: reading.id, mirror: reading.mirror, minted: false }
      : { id: testing.cookies.mint(), mirror: [], minted: true };
  if (visitor.minted) edge.metrics.visitorCookies.inc({ outcome: 'minted' });

  const experiment = selectExperiment(testing.experiments, request, visitor.id);
  // Its layer gives this visitor to another experiment, which is not about this request.
  if (experiment === undefined) return { destination: fallback };

  const mayWrite = kind === 'navigation';
  const resign = visitor.minted || (reading.status === 'valid' && reading.stale);
  const result = testing.assigner.assign(visitor, experiment);
  if (!(result instanceof Promise)) return follow(edge, testing, visitor, result, mayWrite, resign);
  return result.then((found) => follow(edge, testing, visitor, found, mayWrite, resign));
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
  if (reading?.status !== 'valid') return { destination };
  const { id, mirror } = reading;
  if (mirror.length === 0) return { destination, visitor: id };
  const assignments = mirror
    .map(({ experiment, variant }) => `${experiment}=${variant}`)
    .join(', ');
  return { destination, visitor: id, assignments };
}

/** What loads in the background never makes a visitor: it gets control, uncounted. */
function cookieless(edge: Edge, { key, control }: Experiment): Decision {
  return {
    destination: edge.destinationOf(key, control),
    experiment: key,
    variant: control.key,
    source: 'cookieless',
  };
}

/**
 * @param mayWrite whether this response may set the cookie
 * @param resign whether it must, even when the mirror stays as it is
 */
function follow(
  edge: Edge,
  testing: Testing,
  visitor: Visitor,
  result: AssignmentResult,
  mayWrite: boolean,
  resign: boolean,
): Decision {
  const { experiment, variant, source } = result;
  edge.metrics.assignments.inc({ experiment, variant: variant.key, source });
  let { mirror } = visitor;
  if (result.kind === 'assigned') {
    mirror = withMirrorEntry(mirror, { experiment, variant: variant.key, phase: result.phase });
    testing.tally.saw(experiment, result.phase, variant.key, visitor.id);
  }
  const decision = {
    destination: edge.destinationOf(experiment, variant),
    experiment,
    variant: variant.key,
    source,
    visitor: visitor.id,
    assignments: `${experiment}=${variant.key}`,
  };
  if (!mayWrite || (!resign && mirror === visitor.mirror)) return decision;
  return { ...decision, cookie: testing.cookies.serialise(visitor.id, mirror) };
}
