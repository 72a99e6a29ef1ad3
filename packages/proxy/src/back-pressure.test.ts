import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  frontOf,
  httpServer,
  Queue,
  rawClient,
  rawServer,
  until,
  upstreamAt,
} from '../test/loopback.ts';

const megabyte = 1024 * 1024;
const total = 200 * megabyte;
const block = Buffer.alloc(64 * 1024, 'x');
/** Socket buffers of the kernel on four ends, and what node and we hold on top. */
const heldAtMost = 24 * megabyte;

/** Writes `total` bytes as fast as the other side takes them; tells how many it has taken. */
function pour(socket: Socket): { written: number } {
  const progress = { written: 0 };
  const more = (): void => {
    while (progress.written < total) {
      progress.written += block.length;
      if (!socket.write(block)) return;
    }
    socket.off('drain', more);
  };
  socket.on('drain', more);
  more();
  return progress;
}

/** Resolves when `progress` has stood still for a while: the buffers on the way are full. */
async function standstill(progress: { written: number }): Promise<void> {
  for (let still = 0, before = -1; still < 20; still++) {
    if (progress.written !== before) still = 0;
    before = progress.written;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('back-pressure', () => {
  test('a client that does not read stops the upstream; then gets every byte', async () => {
    const pours = new Queue<{ written: number }>();
    const { port } = await rawServer((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        pours.put(pour(socket));
      });
    });
    // A paused client is no reason to time the upstream out.
    const front = await frontOf(upstreamAt(port, { timeouts: { idle: 200 } }));
    const client = rawClient(front.port);
    const before = process.memoryUsage().rss;
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const progress = await pours.take();
    await standstill(progress);
    expect(progress.written).toBeLessThan(heldAtMost);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * megabyte);
    let received = 0;
    client.on('data', (chunk) => {
      received += chunk.length;
    });
    await once(client, 'end');
    expect(received).toBeGreaterThan(total);
    expect(await front.outcome()).toMatchObject({ kind: 'completed', bytesOut: total });
  });

  test('an upstream that does not read stops the upload; then gets every byte', async () => {
    const sockets = new Queue<Socket>();
    const { port } = await rawServer((socket) => sockets.put(socket));
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    const before = process.memoryUsage().rss;
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    const progress = pour(client);
    const upstreamSocket = await sockets.take();
    await standstill(progress);
    expect(progress.written).toBeLessThan(heldAtMost);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * megabyte);
    let received = 0;
    upstreamSocket.on('data', (chunk) => {
      received += chunk.length;
    });
    await until(() => received > total);
    upstreamSocket.write('HTTP/1.1 204 No Content\r\n\r\n');
    expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 204, bytesIn: total });
  });

  test('a client that leaves while it holds the upstream back frees the connection', async () => {
    const { port, connections } = await rawServer((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        pour(socket);
      });
    });
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(client, 'readable');
    client.destroy();
    expect(await front.outcome()).toMatchObject({ kind: 'aborted', status: 200 });
    await until(() => connections[0]?.closed === true);
  });

  test('an upstream that ends while the client holds it back loses nothing', async () => {
    const body = Buffer.alloc(8 * megabyte, 'y');
    const { port } = await httpServer((_request, response) => {
      response.writeHead(200, { Connection: 'close' }).end(body);
    });
    const front = await frontOf(upstreamAt(port));
    const answer = await fetch(`http://127.0.0.1:${front.port}/`);
    const reader = answer.body?.getReader();
    let received = 0;
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) break;
      received += part.value.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).toBe(body.length);
  });
});
