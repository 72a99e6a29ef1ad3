import { describe, expect, test } from 'vitest';
import { createAuthority } from '../test/authority.ts';
import {
  closedPort,
  frontOf,
  httpServer,
  rawExchange,
  rawServer,
  until,
  upstreamAt,
} from '../test/loopback.ts';
import { createUpstream } from './upstream.ts';

describe('createUpstream', () => {
  test.each([
    ['', 'it is not a URL'],
    ['127.0.0.1:4001', 'it is not a URL'],
    ['localhost:4001', 'its scheme is localhost:'],
    ['ftp://127.0.0.1', 'its scheme is ftp:'],
    ['http://a:b@127.0.0.1:4001', 'it has credentials'],
    ['http://a@127.0.0.1', 'it has credentials'],
    ['http://127.0.0.1:4001/app', 'it has a path, query or fragment'],
    ['http://127.0.0.1:4001/?', 'it has a path, query or fragment'],
    ['http://127.0.0.1:4001#', 'it has a path, query or fragment'],
    ['http://127.0.0.1:99999', 'it is not a URL'],
    ['http://[', 'it is not a URL'],
  ])('refuses %s', (url, problem) => {
    expect(() => createUpstream({ name: 'next', url })).toThrow(
      `Upstream "next": expected url to be an http:// or https:// origin such as http://127.0.0.1:4001, got "${url}": ${problem}.`,
    );
  });

  test.each([
    ['http://127.0.0.1:4001', 'http://127.0.0.1:4001', '127.0.0.1', 4001],
    ['HTTP://Next.Internal/', 'http://next.internal', 'next.internal', 80],
    ['http://[::1]:80', 'http://[::1]', '::1', 80],
    ['https://Shop.Internal', 'https://shop.internal', 'shop.internal', 443],
    ['https://127.0.0.1:443/', 'https://127.0.0.1', '127.0.0.1', 443],
    ['https://[::1]:4001', 'https://[::1]:4001', '::1', 4001],
  ])('takes %s', async (url, origin, hostname, port) => {
    const upstream = createUpstream({ name: 'next', url });
    expect(upstream).toMatchObject({
      name: 'next',
      origin,
      host: origin.split('//')[1],
      hostname,
      port,
    });
    expect(upstream.stats()).toEqual({ connected: 0, free: 0, running: 0, pending: 0 });
    await upstream.close();
  });

  test('takes tls only with https, and only certificates as authorities', () => {
    expect(() => createUpstream({ name: 'next', url: 'http://127.0.0.1', tls: {} })).toThrow(
      'Upstream "next": expected tls only with an https:// url, got "http://127.0.0.1".',
    );
    const { ca } = createAuthority();
    for (const wrong of ['', 'ca.pem', ca + ca.replace('\nMII', '\nIII')]) {
      const options = { name: 'next', url: 'https://127.0.0.1', tls: { ca: wrong } };
      expect(() => createUpstream(options)).toThrow(
        'Upstream "next": expected tls.ca to hold certificates in PEM',
      );
    }
  });
});

describe('the pool', () => {
  test('uses one connection again and again, and closes it', async () => {
    let connections = 0;
    const { server, port } = await httpServer((_request, response) => response.end('hi'));
    server.on('connection', () => connections++);
    const upstream = upstreamAt(port);
    const front = await frontOf(upstream);
    for (let i = 0; i < 10; i++) {
      const answer = await fetch(`http://127.0.0.1:${front.port}/`);
      expect(await answer.text()).toBe('hi');
      await front.outcome();
    }
    expect(connections).toBe(1);
    expect(upstream.stats()).toMatchObject({ connected: 1, running: 0, pending: 0 });
    await upstream.close();
    expect(upstream.stats()).toMatchObject({ connected: 0 });
  });

  test('opens no more connections than allowed, queues the rest, refuses beyond that', async () => {
    const answers: (() => void)[] = [];
    const { server, port } = await httpServer((_request, response) => {
      answers.push(() => response.end('late'));
    });
    let connections = 0;
    server.on('connection', () => connections++);
    const upstream = upstreamAt(port, { connections: 2, queue: 1 });
    const front = await frontOf(upstream);
    const get = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${front.port}/`)).status;
    const served = [get(), get(), get()];
    await until(() => answers.length === 2 && upstream.inFlight === 3);
    expect(upstream.stats()).toMatchObject({ running: 2, pending: 1 });
    expect(await get()).toBe(503);
    expect(await front.outcome()).toMatchObject({ kind: 'failed', error: { code: 'refused' } });
    expect(upstream.inFlight).toBe(3);
    while (upstream.inFlight > 0) {
      answers.shift()?.();
      await until(() => answers.length > 0 || upstream.inFlight === 0);
    }
    expect(await Promise.all(served)).toEqual([200, 200, 200]);
    expect(connections).toBe(2);
  });

  test('closed, it refuses', async () => {
    const { port } = await httpServer((_request, response) => response.end());
    const upstream = upstreamAt(port);
    const front = await frontOf(upstream);
    await upstream.close();
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(503);
    expect(upstream.inFlight).toBe(0);
  });

  test('connects where it was told to, whatever the Host says', async () => {
    const { port } = await httpServer((request, response) => response.end(request.headers.host));
    const front = await frontOf(upstreamAt(port));
    const host = 'elsewhere.example:1234';
    const answer = await rawExchange(
      front.port,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain(host);
  });
});

describe('timeouts and refusals', () => {
  test('nothing listens: refused, 503', async () => {
    const upstream = upstreamAt(await closedPort());
    const front = await frontOf(upstream);
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(503);
    const outcome = await front.outcome();
    expect(outcome).toMatchObject({
      kind: 'failed',
      status: 0,
      error: { code: 'refused', status: 503, upstream: 'test' },
    });
    expect(outcome.kind === 'failed' && outcome.error.cause).toMatchObject({
      code: 'ECONNREFUSED',
    });
    // A dead upstream comes back: nothing remembers the failure.
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(503);
  });

  test('no such host: refused, 503', async () => {
    const upstream = createUpstream({ name: 'test', url: 'http://no-such-host.invalid' });
    const front = await frontOf(upstream);
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(503);
    await upstream.destroy();
  });

  test('no first byte: timeout, 504', async () => {
    const { port, connections } = await rawServer((socket) => socket.resume());
    const front = await frontOf(upstreamAt(port, { timeouts: { firstByte: 100 } }));
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(504);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      error: { code: 'timeout', status: 504 },
    });
    await until(() => connections.every((socket) => socket.closed || socket.readableEnded));
  });

  test('silence inside the body: the answer breaks off', async () => {
    const { port } = await rawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    );
    const front = await frontOf(upstreamAt(port, { timeouts: { idle: 100 } }));
    const answer = await rawExchange(front.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer).toMatch(/\r\n\r\nhalf$/);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      status: 200,
      bytesOut: 4,
      error: { code: 'timeout' },
    });
  });
});
