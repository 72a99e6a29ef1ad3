import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text as bodyText } from 'node:stream/consumers';
import { explainRequestSchema } from '@turnout/contracts/explanation';
import type { Fleet } from './fleet.ts';
import type { FleetMetrics } from './fleet-metrics.ts';
import type { Logger } from './log.ts';

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
/** Bytes of a request to be explained: more than any edge takes. */
const QUESTION_MAX = 128 * 1024;

interface Private {
  readonly fleet: Fleet;
  readonly metrics: FleetMetrics;
}

/** The operators' port: metrics, traffic, health, explanations. Never to be reached by visitors. */
export function createPrivateServer(fleet: Fleet, metrics: FleetMetrics, log: Logger): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response, { fleet, metrics }).catch((error: unknown) => {
      log.error({ err: error, path: request.url }, 'the private port could not answer');
      if (!response.headersSent) send(response, 500, TEXT, 'see the log\n');
    });
  });
}

interface Endpoint {
  readonly method: 'GET' | 'POST';
  answer(request: IncomingMessage, response: ServerResponse, own: Private): Promise<void> | void;
}

const endpoints: ReadonlyMap<string, Endpoint> = new Map([
  ['/metrics', { method: 'GET', answer: answerMetrics }],
  ['/healthz', { method: 'GET', answer: answerHealth }],
  ['/readyz', { method: 'GET', answer: answerReadiness }],
  ['/v1/traffic', { method: 'GET', answer: answerTraffic }],
  ['/v1/explain', { method: 'POST', answer: answerExplain }],
]);

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  own: Private,
): Promise<void> {
  const endpoint = endpoints.get(request.url?.split('?', 1)[0] ?? '');
  if (endpoint === undefined) {
    send(response, 404, TEXT, `here are ${[...endpoints.keys()].join(', ')}\n`);
    return;
  }
  const allowed = endpoint.method === 'GET' ? ['GET', 'HEAD'] : [endpoint.method];
  if (!allowed.includes(request.method ?? '')) {
    response.setHeader('Allow', allowed.join(', '));
    send(response, 405, TEXT, `use ${endpoint.method}\n`);
    return;
  }
  await endpoint.answer(request, response, own);
}

async function answerMetrics(
  _request: IncomingMessage,
  response: ServerResponse,
  { metrics }: Private,
): Promise<void> {
  send(response, 200, metrics.contentType, await metrics.text());
}

async function answerTraffic(
  _request: IncomingMessage,
  response: ServerResponse,
  { metrics }: Private,
): Promise<void> {
  send(response, 200, JSON_TYPE, `${JSON.stringify(await metrics.traffic())}\n`);
}

function answerHealth(_request: IncomingMessage, response: ServerResponse): void {
  send(response, 200, TEXT, 'alive\n');
}

function answerReadiness(
  _request: IncomingMessage,
  response: ServerResponse,
  { fleet }: Private,
): void {
  if (fleet.draining) send(response, 503, TEXT, 'draining\n');
  else if (fleet.listening === 0) send(response, 503, TEXT, 'no worker listens yet\n');
  else send(response, 200, TEXT, `ready, ${fleet.listening} workers\n`);
}

async function answerExplain(
  request: IncomingMessage,
  response: ServerResponse,
  { fleet }: Private,
): Promise<void> {
  if (Number(request.headers['content-length'] ?? Infinity) > QUESTION_MAX) {
    sendProblem(
      response,
      413,
      `Expected a body of at most ${QUESTION_MAX} bytes, with its length.`,
    );
    return;
  }
  let raw: unknown;
  try {
    raw = JSON.parse(await bodyText(request));
  } catch {
    sendProblem(response, 400, 'Expected JSON such as {"url": "/plans"}.');
    return;
  }
  const question = explainRequestSchema.safeParse(raw);
  if (!question.success) {
    const told = question.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    sendProblem(response, 422, told.join('; '));
    return;
  }
  send(response, 200, JSON_TYPE, `${JSON.stringify(await fleet.explain(question.data))}\n`);
}

/** RFC 9457. */
function sendProblem(response: ServerResponse, status: number, detail: string): void {
  const titles: Readonly<Record<number, string>> = {
    400: 'Bad Request',
    413: 'Content Too Large',
    422: 'Unprocessable Content',
  };
  const problem = { type: 'about:blank', title: titles[status] ?? 'Error', status, detail };
  send(response, status, 'application/problem+json', `${JSON.stringify(problem)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
