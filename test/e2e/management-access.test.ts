import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startApi } from '../../apps/api/src/testing/api-process.ts';
import { TOKENS, TOKEN_ENVIRONMENT, manage } from '../../apps/api/src/testing/management-client.ts';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';

// Whoever manages experiments decides what every visitor sees. The API that does it serves
// the shop, too, so the edge has a way to it; here every spelling that could lead from the
// public port to /v1 is tried, with a valid token: only the address may stand in the way.

const demo: { routes: object[] } = parse(
  readFileSync(resolve(import.meta.dirname, '../../turnout.yaml'), 'utf8'),
);

let upstreams: LightUpstreams | undefined;
let edge: EdgeProcess | undefined;
afterEach(async () => {
  await edge?.remove();
  await upstreams?.close();
});

/** The demo's edge in front of a real API, with further routes before its own. */
async function start(routes: readonly object[] = []) {
  const api = startApi(TOKEN_ENVIRONMENT);
  const url = await api.url;
  upstreams = await startLightUpstreams(['wordpress', 'next', 'vue']);
  edge = await startEdge({
    config: {
      upstreams: { ...upstreams.config, api: { url } },
      routes: [...routes, ...demo.routes],
      default: 'wordpress',
    },
    workers: 1,
  });
  return { api, url, edge };
}

/** Sends a request line as it is written, and returns the whole answer. */
async function ask(url: string, line: string, fields: readonly string[] = []): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  socket.on('error', () => undefined);
  const head = [
    line,
    'Host: localhost',
    `Authorization: Bearer ${TOKENS.admin}`,
    'Connection: close',
    ...fields,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await once(socket, 'close');
  return answer;
}

const SPELLINGS = [
  '/v1/experiments',
  '/V1/experiments',
  '//v1/experiments',
  '/./v1/experiments',
  '/%76%31/experiments',
  '/v1%2fexperiments',
  '\\v1\\experiments',
  '/api/../v1/experiments',
  '/api/%2e%2e/v1/experiments',
  '/api/%2E%2E/v1/experiments',
  '/api/.%2e/v1/experiments',
  '/api/%252e%252e/v1/experiments',
  '/api/..%2fv1/experiments',
  '/api/..%2Fv1%2Fexperiments',
  '/api/..%5cv1/experiments',
  '/api\\..\\v1/experiments',
  '/api/..\\v1\\experiments',
  '/api/..;/v1/experiments',
  '/api//..//v1/experiments',
  '/api/plans/../../v1/experiments',
  '/api/v1/experiments',
  '/api/?/../v1/experiments',
  '/api/#/../v1/experiments',
  '/api/\u0000/../v1/experiments',
  'http://localhost/v1/experiments',
  'http://localhost/api/../v1/experiments',
  'http://127.0.0.1:4000/v1/experiments',
  'http://localhost//v1/experiments',
  'v1/experiments',
  '*',
];

test('no spelling leads from the public port to the management API', async () => {
  const { api, url, edge: front } = await start();
  // The way is there: the shop's data comes through it, and the token is a good one.
  expect(await ask(front.url, 'GET /api/plans HTTP/1.1')).toMatch(/^HTTP\/1\.1 200[^]*"soar"/);
  const direct = { headers: { 'X-Request-Id': 'direct' } };
  expect((await manage(url, 'GET /experiments', undefined, direct)).status).toBe(200);

  for (const spelling of SPELLINGS) {
    for (const method of ['GET', 'POST']) {
      const answer = await ask(front.url, `${method} ${spelling} HTTP/1.1`, [
        'Content-Type: application/json',
        'Content-Length: 0',
        // Asks the edge to take off what tells the API that it came through an edge.
        'Connection: forwarded, x-forwarded-for, x-request-id',
        'X-Original-URL: /v1/experiments',
        'X-Rewrite-URL: /v1/experiments',
      ]);
      expect([spelling, answer]).not.toEqual([
        spelling,
        expect.stringMatching(/home-redesign|bearer/i),
      ]);
    }
  }
  // Upgrades take another way through the edge.
  for (const spelling of SPELLINGS) {
    const answer = await ask(front.url, `GET ${spelling} HTTP/1.1`, [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]);
    expect([spelling, answer]).not.toEqual([
      spelling,
      expect.stringMatching(/home-redesign|bearer/i),
    ]);
  }
  // What did reach the API found nothing there. The log is written in order.
  await manage(url, 'GET /last');
  await expect.poll(() => api.lines.some((line) => line.includes('/v1/last'))).toBe(true);
  const reached = api.lines
    .map((line): { requestId?: string; path?: string; status?: number } => JSON.parse(line))
    .filter(
      ({ path = '/api/plans', requestId }) => path !== '/api/plans' && requestId !== 'direct',
    );
  expect(reached.length).toBeGreaterThan(SPELLINGS.length / 4);
  expect(reached.filter(({ status }) => status !== 404)).toEqual([]);
});

test('a route that leads there by mistake opens nothing, and the log says which to take out', async () => {
  const { api, edge: front } = await start([
    { path: '/v1/**', upstream: 'api' },
    { path: '/V1/**', upstream: 'api' },
  ]);
  for (const target of ['/v1/experiments', '/v1/schema/experiment.json', '/V1/experiments']) {
    for (const fields of [[], ['Connection: forwarded'], ['Forwarded: for=1.2.3.4']]) {
      const answer = await ask(front.url, `GET ${target} HTTP/1.1`, fields);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
      expect(answer).toContain('There is nothing at this address.');
    }
  }
  await api.logged(/came through an edge, and got 404\. Take the route that leads it here out/);
});
