import type { IncomingMessage } from 'node:http';
import type { RequestTraits } from '@turnout/router-core';
import { decideOwned, type Decision } from './decide.ts';
import type { Edge } from './edge.ts';
import { requestTraits } from './request-traits.ts';

/** What the address of a request alone says about where it goes. */
export type Route =
  | { readonly kind: 'refused'; readonly status: 400 | 421; readonly reason: string }
  /** One of the edge's own endpoints. */
  | { readonly kind: 'own'; readonly traits: RequestTraits }
  /** Traffic that belongs to one upstream, whatever the visitor's variant. */
  | { readonly kind: 'owned'; readonly decision: Decision }
  /** What experiments may be about. */
  | { readonly kind: 'open'; readonly traits: RequestTraits };

/** The first steps of a request's life, the same for requests and upgrades. */
export function route(edge: Edge, request: IncomingMessage): Route {
  const traits = requestTraits(request, edge.countryHeader);
  const { host } = traits;
  // RFC 9112, section 3.2: with two of them, upstream and edge could each believe another.
  if (countHosts(request.rawHeaders) !== 1) {
    return { kind: 'refused', status: 400, reason: 'expected exactly one Host header' };
  }
  if (!edge.allows(host)) {
    return { kind: 'refused', status: 421, reason: `host ${host} is not in public.hosts` };
  }
  const { path } = traits;
  if (path === '/_turnout' || path.startsWith('/_turnout/')) return { kind: 'own', traits };
  const owner = edge.routes.match(traits);
  const destination = owner === undefined ? undefined : edge.destinations.get(owner);
  if (destination !== undefined) {
    return { kind: 'owned', decision: decideOwned(edge, destination, traits) };
  }
  return { kind: 'open', traits };
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}
