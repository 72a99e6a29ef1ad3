import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { normaliseHost, normalisePath } from '@turnout/router-core';
import { decide, decideOwned, type Decision } from './decide.ts';
import type { Edge } from './edge.ts';
import { publicOrigin, upstreamHeaders } from './exchange.ts';
import { visitorHash } from './access-log.ts';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Upgrades take the same decision as requests do, and never make a visitor. */
export function createUpgradeHandler(edge: Edge): UpgradeListener {
  return (request, socket, head) => {
    const host = normaliseHost(request.headers.host ?? '');
    if (!edge.allows(host) || edge.draining) {
      socket.end(
        `HTTP/1.1 ${edge.draining ? '503 Service Unavailable' : '421 Misdirected Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      return;
    }
    const path = normalisePath(request.url ?? '/');
    const owner = edge.routes.match(path, host);
    const owned = owner === undefined ? undefined : edge.destinations.get(owner);
    const { cookie } = request.headers;
    const decision = owned
      ? decideOwned(edge, owned, cookie)
      : decide(edge, { path, host, cookie }, 'subresource');
    const follow = (found: Decision): void => tunnel(edge, request, socket, head, found);
    if (decision instanceof Promise) void decision.then(follow);
    else follow(decision);
  };
}

function tunnel(
  edge: Edge,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  decision: Decision,
): void {
  const requestId = randomUUIDv7();
  const started = performance.now();
  const { upstream } = decision.destination;
  edge.upgrader.upgrade(request, socket, head, {
    upstream,
    headers: upstreamHeaders(request, requestId, decision),
    publicOrigin: publicOrigin(request),
    onDone(outcome) {
      edge.metrics.upgrades.inc({ upstream: upstream.name, outcome: outcome.kind });
      edge.log.info(
        {
          id: requestId,
          method: request.method,
          path: normalisePath(request.url ?? '/'),
          upstream: upstream.name,
          variant: decision.variant,
          visitor: decision.visitor && visitorHash(decision.visitor),
          outcome: outcome.kind,
          ms: Math.round(performance.now() - started),
        },
        'upgrade',
      );
    },
  });
}
