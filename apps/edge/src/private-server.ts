import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Fleet } from './fleet.ts';
import type { FleetMetrics } from './fleet-metrics.ts';
import type { Logger } from './log.ts';

const TEXT = 'text/plain; charset=utf-8';

/** The operators' port: metrics and health. Never to be reached by visitors. */
export function createPrivateServer(fleet: Fleet, metrics: FleetMetrics, log: Logger): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response, fleet, metrics).catch((error: unknown) => {
      log.error({ err: error, path: request.url }, 'the private port could not answer');
      if (!response.headersSent) send(response, 500, TEXT, 'see the log\n');
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  fleet: Fleet,
  metrics: FleetMetrics,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, 405, TEXT, 'use GET\n');
    return;
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics':
      send(response, 200, metrics.contentType, await metrics.text());
      return;
    case '/v1/traffic':
      send(response, 200, 'application/json', `${JSON.stringify(await metrics.traffic())}\n`);
      return;
    case '/healthz':
      send(response, 200, TEXT, 'alive\n');
      return;
    case '/readyz':
      if (fleet.draining) send(response, 503, TEXT, 'draining\n');
      else if (fleet.listening === 0) send(response, 503, TEXT, 'no worker listens yet\n');
      else send(response, 200, TEXT, `ready, ${fleet.listening} workers\n`);
      return;
    default:
      send(response, 404, TEXT, 'here are /metrics, /v1/traffic, /healthz and /readyz\n');
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
