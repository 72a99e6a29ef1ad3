import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { expectsContinue, forward } from '@turnout/proxy';
import { decide, type Decision } from './decide.ts';
import type { Edge } from './edge.ts';
import { EdgeExchange } from './exchange.ts';
import { answerOwnEndpoint } from './own-endpoints.ts';
import { requestKind } from './request-kind.ts';
import { route } from './route.ts';

/** What may be asked of some upstream; any other method is passed on as well. */
const SERVED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/**
 * The life of a request, in the order of ARCHITECTURE.md. Everything is decided in this
 * turn of the event loop, unless a visitor has to be looked up in the ledger.
 */
export function createRequestHandler(edge: Edge): RequestListener {
  return (request, response) => {
    // 1. Accept: an id and a clock for the request.
    const exchange = new EdgeExchange(edge, request, response);
    if (exchange.isOneTooMany()) return;
    try {
      handle(edge, exchange, request, response);
    } catch (error) {
      // Thrown further, it would end this process, and all other requests with it.
      exchange.crash(error);
    }
  };
}

function handle(
  edge: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const follow = (decision: Decision): void => {
    exchange.follow(decision);
    forward(request, response, exchange);
  };
  const found = route(edge, request, exchange.client);
  switch (found.kind) {
    case 'refused':
      exchange.refuse(found.status, found.reason, found.close);
      return;
    case 'capabilities':
      exchange.answer(204, { Allow: SERVED_METHODS }, undefined);
      return;
    // 2. The edge's own endpoints.
    case 'own':
      if (expectsContinue(request)) response.writeContinue();
      answerOwnEndpoint(edge, exchange, request, found.traits);
      return;
    // 3. Traffic that belongs to one upstream, whatever the visitor's variant.
    case 'owned':
      follow(found.decision);
      return;
    // 4 to 6. Visitor, experiment, assignment.
    case 'open': {
      const { traits } = found;
      const kind = requestKind(request.method, traits.path, request.headers);
      const decision = decide(edge, traits, kind);
      // 7 and 8. Forward; the exchange sees to the response and to what is recorded.
      if (decision instanceof Promise) {
        decision.then(follow).catch((error: unknown) => exchange.crash(error));
      } else follow(decision);
    }
  }
}
