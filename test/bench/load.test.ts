import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BenchProcess } from './bench-process.ts';
import { startLoad } from './contenders.ts';
import { drive } from './load.ts';
import { PAGE } from './page.ts';

// The real load process, against servers that answer well, but for one request.

let started: AsyncDisposableStack;
let load: BenchProcess;
beforeEach(() => {
  started = new AsyncDisposableStack();
  load = startLoad(new AbortController().signal, started);
});
afterEach(() => started.disposeAsync());

/** Answers the page, but for the tenth request, which `spoil` answers. */
async function serve(spoil: RequestListener, cookies = new Set<string>()): Promise<string> {
  let requests = 0;
  const server = createServer((request, response) => {
    if (request.headers.cookie !== undefined) cookies.add(request.headers.cookie);
    if (++requests === 10) spoil(request, response);
    else response.end(PAGE);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
  return `http://127.0.0.1:${address.port}`;
}

test('goes round all visitors, each on one connection', async () => {
  const seen = new Set<string>();
  const url = await serve((_request, response) => response.end(PAGE), seen);
  const cookies = Array.from({ length: 10 }, (_, index) => `visitor=${index}`);
  const result = await drive(load, { url, cookies, connections: 4, duration: 1 });
  expect(result.requests).toBeGreaterThan(0);
  expect(result.p50).toBeGreaterThan(0);
  expect(result.seconds).toBeGreaterThanOrEqual(1);
  expect([...seen].toSorted()).toEqual(cookies);
});

test.each<[string, string, RequestListener]>([
  ['an error', '1 answers other than 2xx', (_request, response) => response.writeHead(502).end()],
  ['another page', '1 wrong bodies', (_request, response) => response.end(PAGE.toUpperCase())],
  ['a reset', 'connection errors', (request) => request.socket.resetAndDestroy()],
  ['a closed connection', 'requests never answered', (request) => request.socket.end()],
])('%s in a round fails it', async (_name, message, spoil) => {
  const url = await serve(spoil);
  const order = { url, cookies: [], connections: 1, duration: 1 };
  await expect(drive(load, order)).rejects.toThrow(message);
});

test('a process that dies says what it said', async () => {
  const order = { url: 'no URL at all', cookies: [], connections: 1, duration: 1 };
  await expect(drive(load, order)).rejects.toThrow(/^load ended \(1\):[^]*Invalid URL/);
});
