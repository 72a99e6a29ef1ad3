import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  frontOf,
  httpServer,
  onRequestHead,
  Queue,
  rawClient,
  rawServer,
  readAll,
  until,
  upstreamAt,
} from '../test/loopback.ts';

/** More than the socket buffers of the kernel on the way hold. */
const big = 24 * 1024 * 1024;
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const limit = 200;
const timeouts = { client: limit };

/** Long against the limit, so that a limit that counts what it should not is seen to. */
function longer(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3 * limit));
}

function post(length: number, more = ''): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`;
}

/** A server that hands its connections out once they have sent a head. */
async function handingServer() {
  const sockets = new Queue<Socket>();
  const { port, connections } = await rawServer((socket) =>
    onRequestHead(socket, () => sockets.put(socket)),
  );
  return { port, connections, sockets };
}

const clientTimeout = { code: 'client timeout', status: 408, clientFault: true };

describe('a client that stops inside its upload', () => {
  test.each([
    ['length', post(100)],
    ['chunks', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n'],
  ])('gets 408, and the upstream is free again (%s)', async (_framing, head) => {
    const { port, connections } = await handingServer();
    const upstream = upstreamAt(port, { timeouts });
    const front = await frontOf(upstream);
    const client = rawClient(front.port);
    client.write(`${head}start`);
    const [answer] = await once(client, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      status: 0,
      bytesIn: 5,
      error: clientTimeout,
    });
    await until(() => connections[0]?.closed === true);
    expect(upstream.inFlight).toBe(0);
    await until(() => upstream.stats().connected === 0);
  });

  test('gets 408 if it never begins', async () => {
    const { port } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(post(100));
    const [answer] = await once(client, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 408 /);
  });

  test('gets its answer broken off if that has begun', async () => {
    const { port, connections, sockets } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(`${post(100)}start`);
    (await sockets.take()).write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    expect(await readAll(client)).toMatch(/\r\n\r\nhalf$/);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      status: 200,
      error: clientTimeout,
    });
    await until(() => connections[0]?.closed === true);
  });

  test('is let be while it sends, however slowly', async () => {
    const { port } = await httpServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      response.end(body);
    });
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(post(12, 'Connection: close\r\n'));
    const answer = readAll(client);
    for (let sent = 0; sent < 12; sent++) {
      client.write('x');
      await new Promise((resolve) => setTimeout(resolve, limit / 8));
    }
    expect(await answer).toMatch(/x{12}$/);
    expect(await front.outcome()).toMatchObject({ kind: 'completed', bytesIn: 12 });
  });

  test('is let be without a limit', async () => {
    const { port, sockets } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts: { client: 0 } }));
    const client = rawClient(front.port);
    client.write(`${post(100)}start`);
    await sockets.take();
    await longer();
    client.destroy();
    expect(await front.outcome()).toMatchObject({ kind: 'aborted' });
  });

  test('is let be while it reads an answer that came early', async () => {
    const { port, sockets } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(`${post(100)}start`);
    const socket = await sockets.take();
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 12\r\n\r\n');
    for (let sent = 0; sent < 12; sent++) {
      socket.write('x');
      await new Promise((resolve) => setTimeout(resolve, limit / 8));
    }
    expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 413, bytesOut: 12 });
  });
});

describe('a client that stops reading', () => {
  test('is broken off, and the upstream is free again', async () => {
    const { port, connections, sockets } = await handingServer();
    const upstream = upstreamAt(port, { timeouts });
    const front = await frontOf(upstream);
    const client = rawClient(front.port);
    client.write(get);
    const socket = await sockets.take();
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${big}\r\n\r\n`);
    socket.write(Buffer.alloc(big));
    const outcome = await front.outcome();
    expect(outcome).toMatchObject({ kind: 'failed', status: 200, error: clientTimeout });
    expect(outcome.bytesOut).toBeLessThan(big);
    await until(() => connections[0]?.closed === true);
    expect(upstream.inFlight).toBe(0);
  });

  test('is broken off if the upstream is done already', async () => {
    const { port } = await httpServer((_request, response) => response.end(Buffer.alloc(big)));
    const upstream = upstreamAt(port, { timeouts });
    const front = await frontOf(upstream, { server: { highWaterMark: 2 * big } });
    rawClient(front.port).write(get);
    await until(() => upstream.stats().free === 1);
    expect(upstream.inFlight).toBe(1);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      bytesOut: big,
      error: clientTimeout,
    });
    expect(upstream.inFlight).toBe(0);
  });

  test('is let be if it reads on', async () => {
    const { port, sockets } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts: { client: 4 * limit } }));
    const client = rawClient(front.port);
    client.write(get);
    const socket = await sockets.take();
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${big}\r\n\r\n`);
    socket.write(Buffer.alloc(big));
    let received = 0;
    client.on('data', (chunk) => {
      received += chunk.length;
    });
    for (let quarter = 1; quarter <= 4; quarter++) {
      client.pause();
      await new Promise((resolve) => setTimeout(resolve, 1.5 * limit));
      client.resume();
      await until(() => received >= (quarter * big) / 4);
    }
    expect(await front.outcome()).toMatchObject({ kind: 'completed', bytesOut: big });
  });
});

describe('the wait for an upstream does not count', () => {
  test('before the head', async () => {
    const { port, sockets } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(`${post(4)}body`);
    const socket = await sockets.take();
    await longer();
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect(await front.outcome()).toMatchObject({ kind: 'completed' });
  });

  test('inside the body', async () => {
    const { port, sockets } = await handingServer();
    const front = await frontOf(upstreamAt(port, { timeouts }));
    rawClient(front.port).write(get);
    const socket = await sockets.take();
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
    await longer();
    socket.write('lf');
    expect(await front.outcome()).toMatchObject({ kind: 'completed' });
  });

  test('nor that for one that takes no more of an upload', async () => {
    const sockets = new Queue<Socket>();
    const { port } = await rawServer((socket) => sockets.put(socket));
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(post(big));
    client.write(Buffer.alloc(big));
    const socket = await sockets.take();
    await longer();
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    await until(() => received > big);
    socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    expect(await front.outcome()).toMatchObject({ kind: 'completed', bytesIn: big });
  });

  test('nor that of an answer for the one before it on its connection', async () => {
    const sockets = new Map<string, Socket>();
    const { port } = await rawServer((socket) =>
      onRequestHead(socket, (head) => sockets.set(head.slice(0, 'GET /n'.length), socket)),
    );
    const front = await frontOf(upstreamAt(port, { timeouts }));
    const client = rawClient(front.port);
    client.write(get.replace('/', '/1') + get.replace('/', '/2'));
    await until(() => sockets.size === 2);
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`;
    sockets.get('GET /2')?.write(answer);
    await longer();
    sockets.get('GET /1')?.write(answer);
    client.resume();
    expect([await front.outcome(), await front.outcome()]).toMatchObject([
      { kind: 'completed', bytesOut: 300_000 },
      { kind: 'completed', bytesOut: 300_000 },
    ]);
  });
});
