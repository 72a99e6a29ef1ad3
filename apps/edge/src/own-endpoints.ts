import type { IncomingMessage } from 'node:http';
import {
  MAX_MIRROR_ENTRIES,
  type AssignmentResult,
  type RequestTraits,
} from '@turnout/router-core';
import { cookieAfter, experimentsFor, visitorOf } from './decide.ts';
import type { Edge, Testing } from './edge.ts';
import type { EdgeExchange } from './exchange.ts';
import { answerClientScript } from './client-script.ts';
import { answerEvents } from './events/events-endpoint.ts';
import { answerPreview } from './preview-endpoint.ts';
import { problem } from './problem.ts';

/** Answers a request under `/_turnout/`. */
export function answerOwnEndpoint(
  edge: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  traits: RequestTraits,
): void {
  const { path } = traits;
  const endpoint = endpoints.get(path);
  if (endpoint === undefined) {
    exchange.answerJson(404, {}, problem(404, 'Not Found', `There is no ${path} here.`));
    return;
  }
  const { methods, answer } = endpoint;
  if (!methods.includes(request.method ?? '')) {
    const detail = `Use ${methods[0]}.`;
    const headers = { Allow: methods.join(', ') };
    exchange.answerJson(405, headers, problem(405, 'Method Not Allowed', detail));
    return;
  }
  answer(edge, exchange, request, traits);
}

interface OwnEndpoint {
  readonly methods: readonly string[];
  readonly answer: typeof answerOwnEndpoint;
}

const READS = ['GET', 'HEAD'];

const endpoints: ReadonlyMap<string, OwnEndpoint> = new Map([
  ['/_turnout/v1/assignments', { methods: READS, answer: answerAssignments }],
  ['/_turnout/v1/events', { methods: ['POST'], answer: answerEvents }],
  ['/_turnout/client.js', { methods: READS, answer: answerClientScript }],
  ['/_turnout/preview', { methods: READS, answer: answerPreview }],
]);

function answerAssignments(
  { testing }: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  traits: RequestTraits,
): void {
  // Another site's page must not make visitors of its readers, nor learn who they are.
  if (request.headers['sec-fetch-site'] === 'cross-site') {
    exchange.answerJson(403, {}, problem(403, 'Forbidden', 'Ask from a page of this site.'));
    return;
  }
  const preview = testing?.previews.of(traits.cookie);
  if (preview !== undefined) {
    const { experiment, variant, expires } = preview;
    const shown = { experiment, variant, expires: new Date(expires * 1_000).toISOString() };
    exchange.answerJson(200, {}, { visitor: null, assignments: [], preview: shown });
    return;
  }
  if (testing === undefined || !testing.consents(traits)) {
    exchange.answerJson(200, {}, { visitor: null, assignments: [] });
    return;
  }
  assign(testing, exchange, traits).catch((error: unknown) => exchange.crash(error));
}

/**
 * Session look-up and assignment: who the visitor is, and their variant in every experiment
 * that they can be in; made and kept when there was none yet. Of somebody new only as many are
 * made as the cookie can repeat: who keeps no cookie could have thousands made at each call.
 */
async function assign(
  testing: Testing,
  exchange: EdgeExchange,
  traits: RequestTraits,
): Promise<void> {
  const { live, assigner, tracking } = testing;
  const cookies = testing.cookies(traits.secure);
  const reading = cookies.read(traits.cookie);
  const visitor = visitorOf(reading, cookies);
  if (!visitor.minted) tracking.returned(visitor.id, visitor.mirror, live);
  const experiments = experimentsFor(live, traits, visitor.id);
  const asked = visitor.minted ? experiments.slice(0, MAX_MIRROR_ENTRIES) : experiments;
  const results = await Promise.all(
    asked.map(async (experiment) => assigner.assign(visitor, experiment)),
  );
  const changed = cookieAfter(assigner, { cookies, reading, visitor }, results);
  exchange.answerJson(200, changed === undefined ? {} : { 'Set-Cookie': changed }, {
    visitor: visitor.id,
    assignments: results.map(describe),
  });
}

function describe(result: AssignmentResult) {
  const { experiment, variant, source } = result;
  const served = { experiment, variant: variant.key, assigned: result.kind === 'assigned', source };
  if (result.kind === 'unassigned') return served;
  return { ...served, phase: result.phase, revision: result.revision };
}
