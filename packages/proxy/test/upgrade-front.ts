import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createUpgrader, requestHeaders } from '../src/index.ts';
import type {
  Outcome,
  UpgradeExchange,
  Upgrader,
  UpgraderOptions,
  Upstream,
} from '../src/index.ts';
import { clientOf, httpServer, Queue } from './loopback.ts';

export interface UpgradeFront {
  port: number;
  upgrader: Upgrader;
  outcome(): Promise<Outcome>;
}

/** node:http in front of an upgrader, as an edge would be. */
export async function upgradeFrontOf(
  upstream: Upstream,
  options: UpgraderOptions = {},
  exchange: Partial<UpgradeExchange> = {},
): Promise<UpgradeFront> {
  const upgrader = createUpgrader(options);
  const outcomes = new Queue<Outcome>();
  const { port, server } = await httpServer((_request, response) => response.end('not upgraded'));
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    upgrader.upgrade(request, socket, head, {
      upstream,
      publicOrigin: 'http://shop.example',
      headers: requestHeaders(request.rawHeaders, {
        client: clientOf(request),
        append: ['X-Request-Id', '1'],
      }),
      onDone: (outcome) => outcomes.put(outcome),
      ...exchange,
    });
  });
  onTestFinished(() => upgrader.closeAll());
  return { port, upgrader, outcome: () => outcomes.take() };
}
