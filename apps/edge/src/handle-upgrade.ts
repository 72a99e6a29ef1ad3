import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseUpgrade, type Client } from '@turnout/proxy';
import { visitorHash } from './access-log.ts';
import { decide, type Decision } from './decide.ts';
import type { Edge } from './edge.ts';
import { publicOrigin, upstreamHeaders } from './exchange.ts';
import { route } from './route.ts';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Upgrades take the same decision as requests do, and never make a visitor. */
export function createUpgradeHandler(edge: Edge): UpgradeListener {
  return (request, socket, head) => {
    // node:http has let go of the socket: a reset that nobody listens to would end this
    // process. 'close' says all that matters.
    socket.on('error', () => {});
    const client = edge.clientOf(request);
    const refuse = (status: number, reason: string): void => {
      refuseUpgrade(socket, status);
      edge.log.info({ method: request.method, path: request.url, status, reason }, 'upgrade');
    };
    const follow = (decision: Decision): void => {
      // The drain may have begun while the ledger was asked; it ends the tunnels that it knows.
      if (edge.draining) refuse(503, 'draining');
      else tunnel(edge, request, client, socket, head, decision);
    };
    const crash = (error: unknown): void => {
      edge.log.error({ err: error }, 'an upgrade could not be decided');
      socket.destroy();
    };
    try {
      handle();
    } catch (error) {
      crash(error);
    }

    function handle(): void {
      const found = route(edge, request, client);
      switch (found.kind) {
        case 'refused':
          refuse(found.status, found.reason);
          return;
        case 'capabilities':
        case 'own':
          refuse(404, 'no endpoint of ours upgrades');
          return;
        case 'owned':
          follow(found.decision);
          return;
        case 'open': {
          const decision = decide(edge, found.traits, 'subresource');
          if (decision instanceof Promise) {
            decision.then(follow).catch(crash);
          } else follow(decision);
        }
      }
    }
  };
}

function tunnel(
  edge: Edge,
  request: IncomingMessage,
  client: Client,
  socket: Duplex,
  head: Buffer,
  decision: Decision,
): void {
  const requestId = randomUUIDv7();
  const started = performance.now();
  const { upstream } = decision.destination;
  edge.upgrader.upgrade(request, socket, head, {
    upstream,
    headers: upstreamHeaders(edge, request, client, requestId, decision),
    publicOrigin: publicOrigin(client),
    onDone(outcome) {
      edge.metrics.upgrades.inc({ upstream: upstream.name, outcome: outcome.kind });
      edge.log.info(
        {
          id: requestId,
          method: request.method,
          path: request.url,
          upstream: upstream.name,
          variant: decision.variant,
          visitor: decision.visitor && visitorHash(decision.visitor),
          outcome: outcome.kind,
          status: outcome.status,
          ms: Math.round(performance.now() - started),
        },
        'upgrade',
      );
    },
  });
}
