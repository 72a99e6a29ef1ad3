import type { IncomingMessage } from 'node:http';
import { originForm, requestProblem, type Client, type Refusal } from '@turnout/proxy';
import type { RequestTraits } from '@turnout/router-core';
import { decideOwned, type Decision } from './decide.ts';
import type { Edge } from './edge.ts';
import { requestTraits } from './request-traits.ts';

/** What the address of a request alone says about where it goes. */
export type Route =
  | ({ readonly kind: 'refused' } & Refused)
  /** What this server can do at all (RFC 9110 section 9.3.7). */
  | { readonly kind: 'capabilities' }
  /** One of the edge's own endpoints. */
  | { readonly kind: 'own'; readonly traits: RequestTraits }
  /** Traffic that belongs to one upstream, whatever the visitor's variant. */
  | { readonly kind: 'owned'; readonly decision: Decision }
  /** What experiments may be about. */
  | { readonly kind: 'open'; readonly traits: RequestTraits };

/** Why no upstream gets a request, and whether its connection can go on. */
interface Refused {
  readonly status: Refusal['status'] | 421;
  readonly reason: string;
  readonly close: boolean;
}

/** The first steps of a request's life, the same for requests and upgrades. */
export function route(edge: Edge, request: IncomingMessage, client: Client): Route {
  const problem = requestProblem(request, edge.pseudonym);
  if (problem !== undefined) return { kind: 'refused', ...problem, close: true };
  const secure = edge.isSecure || client.proto === 'https';
  const traits = requestTraits(request, secure, edge.countryHeader);
  const { host } = traits;
  if (!edge.allows(host)) {
    const reason = `host ${host} is not in public.hosts`;
    return { kind: 'refused', status: 421, reason, close: false };
  }
  if (request.method === 'OPTIONS' && endsHere(request)) return { kind: 'capabilities' };
  const { path } = traits;
  if (path === '/_turnout' || path.startsWith('/_turnout/')) return { kind: 'own', traits };
  const owner = edge.routes.match(traits);
  const destination = owner === undefined ? undefined : edge.destinations.get(owner);
  if (destination !== undefined) {
    return { kind: 'owned', decision: decideOwned(edge, destination, traits) };
  }
  return { kind: 'open', traits };
}

/** `OPTIONS *`, or one that has no hop left (RFC 9110 section 7.6.2). */
function endsHere({ url = '', headers }: IncomingMessage): boolean {
  return originForm(url, 'OPTIONS') === '*' || headers['max-forwards'] === '0';
}
