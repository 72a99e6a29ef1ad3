import type { RequestListener } from 'node:http';
import { forward } from '@turnout/proxy';
import { normaliseHost, normalisePath } from '@turnout/router-core';
import { decide, decideOwned, type Decision } from './decide.ts';
import type { Edge } from './edge.ts';
import { EdgeExchange } from './exchange.ts';
import { answerOwnEndpoint, isOwnEndpoint } from './own-endpoints.ts';
import { requestKind } from './request-kind.ts';

/**
 * The life of a request, in the order of ARCHITECTURE.md. Everything is decided in this
 * turn of the event loop, unless a visitor has to be looked up in the ledger.
 */
export function createRequestHandler(edge: Edge): RequestListener {
  return (request, response) => {
    // 1. Accept: an id and a clock for the request; and only hosts that are ours.
    const exchange = new EdgeExchange(edge, request, response);
    const follow = (decision: Decision): void => {
      exchange.follow(decision);
      forward(request, response, exchange);
    };
    const host = normaliseHost(request.headers.host ?? '');
    if (!edge.allows(host)) {
      exchange.refuse(421, `host ${host} is not in public.hosts`);
      return;
    }

    // 2. The edge's own endpoints.
    const path = normalisePath(request.url ?? '/');
    if (isOwnEndpoint(path)) {
      answerOwnEndpoint(edge, exchange, request, path);
      return;
    }

    // 3. Traffic that belongs to one upstream, whatever the visitor's variant.
    const owner = edge.routes.match(path, host);
    const owned = owner === undefined ? undefined : edge.destinations.get(owner);
    const { cookie } = request.headers;
    if (owned !== undefined) {
      follow(decideOwned(edge, owned, cookie));
      return;
    }

    // 4 to 6. Visitor, experiment, assignment.
    const traits = { path, host, cookie };
    const decision = decide(edge, traits, requestKind(request.method, path, request.headers));

    // 7 and 8. Forward; the exchange sees to the response and to what is recorded.
    if (decision instanceof Promise) void decision.then(follow);
    else follow(decision);
  };
}
