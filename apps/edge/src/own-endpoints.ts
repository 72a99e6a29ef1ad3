import type { IncomingMessage } from 'node:http';
import { withMirrorEntry, type AssignmentResult, type Visitor } from '@turnout/router-core';
import type { Edge, Testing } from './edge.ts';
import type { EdgeExchange } from './exchange.ts';

const PREFIX = '/_turnout/';

export function isOwnEndpoint(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** Answers a request under `/_turnout/`. */
export function answerOwnEndpoint(
  edge: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  path: string,
): void {
  if (path !== '/_turnout/v1/assignments') {
    exchange.answerJson(404, {}, problem(404, 'Not Found', `There is no ${path} here.`));
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    exchange.answerJson(
      405,
      { Allow: 'GET, HEAD' },
      problem(405, 'Method Not Allowed', 'Use GET.'),
    );
    return;
  }
  // Another site's page must not make visitors of its readers, nor learn who they are.
  if (request.headers['sec-fetch-site'] === 'cross-site') {
    exchange.answerJson(403, {}, problem(403, 'Forbidden', 'Ask from a page of this site.'));
    return;
  }
  if (edge.testing === undefined) {
    exchange.answerJson(200, {}, { visitor: null, assignments: [] });
    return;
  }
  void answerAssignments(edge.testing, exchange, request);
}

/**
 * Session look-up and assignment: who the visitor is, and their variant in every
 * experiment that is not a draft; made and kept when there was none yet.
 */
async function answerAssignments(
  testing: Testing,
  exchange: EdgeExchange,
  request: IncomingMessage,
): Promise<void> {
  const reading = testing.cookies.read(request.headers.cookie);
  const visitor: Visitor =
    reading.status === 'valid'
      ? { id: reading.id, mirror: reading.mirror, minted: false }
      : { id: testing.cookies.mint(), mirror: [], minted: true };
  const results = await Promise.all(
    testing.experiments.map(async (experiment) => testing.assigner.assign(visitor, experiment)),
  );
  const mirror = results.reduce(
    (so, result) => (result.kind === 'assigned' ? withMirrorEntry(so, mirrorEntry(result)) : so),
    visitor.mirror,
  );
  const changed = visitor.minted || mirror !== visitor.mirror;
  const cookie = changed ? { 'Set-Cookie': testing.cookies.serialise(visitor.id, mirror) } : {};
  exchange.answerJson(200, cookie, { visitor: visitor.id, assignments: results.map(describe) });
}

function mirrorEntry({ experiment, variant, phase }: AssignmentResult & { kind: 'assigned' }) {
  return { experiment, variant: variant.key, phase };
}

function describe(result: AssignmentResult) {
  const { experiment, variant, source } = result;
  const served = { experiment, variant: variant.key, assigned: result.kind === 'assigned', source };
  if (result.kind === 'unassigned') return served;
  return { ...served, phase: result.phase, revision: result.revision };
}

/** RFC 9457. */
function problem(status: number, title: string, detail: string) {
  return { type: 'about:blank', title, status, detail };
}
