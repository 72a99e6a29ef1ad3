import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Plan } from '@turnout/contracts/product';
import { onTestFinished } from 'vitest';

export const soar: Plan = {
  id: 'soar',
  name: 'Soar',
  tagline: 'The one that most people keep.',
  price: 1800,
  currency: 'EUR',
  data: 60,
  roaming: 25,
  speed: 300,
  commitment: 0,
  highlights: ['Unlimited calls and texts'],
  popular: true,
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A small HTTP server in the API's place, that can also misbehave; ends with the test. */
export async function startPlanServer(answer: Answer): Promise<URL> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${listeningPort(server)}`);
}

export function listeningPort(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP server.');
  return address.port;
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
