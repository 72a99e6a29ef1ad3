import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  closedPort,
  headServer,
  httpServer,
  onRequestHead,
  Queue,
  rawClient,
  rawExchange,
  rawServer,
  readAll,
  until,
  upstreamAt,
} from '../test/loopback.ts';
import { upgradeFrontOf } from '../test/upgrade-front.ts';
import { asksForWebSocket } from './websocket-handshake.ts';

/** A WebSocket server that echoes; plain requests go to `listener`. */
async function echoServer(
  listener: RequestListener = (_request, response) => response.writeHead(404).end('no such page'),
) {
  const { server, port } = await httpServer(listener);
  const sockets = new WebSocketServer({ noServer: true });
  const opened = new Queue<{ request: IncomingMessage; webSocket: WebSocket }>();
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {});
      webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
      opened.put({ request, webSocket });
    });
  });
  onTestFinished(() => {
    for (const webSocket of sockets.clients) webSocket.terminate();
  });
  return { port, opened };
}

async function openWebSocket(port: number, path = '/'): Promise<WebSocket> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  onTestFinished(() => webSocket.terminate());
  await once(webSocket, 'open');
  return webSocket;
}

const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const version = 'Sec-WebSocket-Version: 13\r\n';
const asking = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const handshake = `GET / HTTP/1.1\r\nHost: a\r\n${asking}${key}${version}\r\n`;
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

function requestHead(fields: string, line = 'GET / HTTP/1.1'): string {
  return `${line}\r\nHost: a\r\n${fields}\r\n`;
}

describe('a tunnel', () => {
  test('carries messages both ways, big ones as well', async () => {
    const { port, opened } = await echoServer();
    const front = await upgradeFrontOf(upstreamAt(port));
    const webSocket = await openWebSocket(front.port, '/hmr?token=a%20b');
    const { request } = await opened.take();
    expect(request.url).toBe('/hmr?token=a%20b');
    expect(front.upgrader.live).toBe(1);
    for (const message of [Buffer.from('hi'), Buffer.alloc(5_000_000, 'a'), Buffer.alloc(0)]) {
      webSocket.send(message);
      const [echo] = await once(webSocket, 'message');
      expect(message.equals(echo)).toBe(true);
    }
    webSocket.close(1000);
    const outcome = await front.outcome();
    expect(outcome).toMatchObject({ kind: 'completed', status: 101 });
    expect(outcome.bytesIn).toBeGreaterThan(5_000_000);
    expect(outcome.bytesOut).toBeGreaterThan(5_000_000);
    expect(front.upgrader.live).toBe(0);
  });

  test('the heads keep spelling, duplicates and order, both ways', async () => {
    const { port, heads } = await headServer(
      'HTTP/1.1 101 Whatever\r\nupgrade: WebSocket\r\nSet-Cookie: a\r\nX-Odd: \xe9\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nset-cookie: b\r\nconnection: upgrade, x-hop\r\nX-Hop: 1\r\n\r\nfirst',
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(
      `GET //a/../b?x&y=%20?z HTTP/1.1\r\nhOST: a\r\nCookie: 1\r\n${asking}${key}X-Forwarded-For: 6.6.6.6\r\ncookie: 2\r\n__proto__: x\r\n${version}\r\n`,
    );
    expect((await heads.take()).split('\r\n')).toEqual([
      'GET //a/../b?x&y=%20?z HTTP/1.1',
      'connection: Upgrade',
      'upgrade: websocket',
      'hOST: a',
      // node's client joins them, as RFC 9110 section 5.3 allows.
      'Cookie: 1; 2',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '__proto__: x',
      'Sec-WebSocket-Version: 13',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Host: a',
      'X-Forwarded-Proto: http',
      'Forwarded: for=127.0.0.1;host=a;proto=http',
      'X-Request-Id: 1',
      '',
      '',
    ]);
    const [answer] = await once(client, 'data');
    expect(answer.toString('latin1').split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'connection: Upgrade',
      'upgrade: websocket',
      'Set-Cookie: a',
      'Set-Cookie: b',
      'X-Odd: \xe9',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      '',
      expect.stringMatching(/^(first)?$/),
    ]);
  });

  test('what the client sends right behind its head arrives', async () => {
    const received = new Queue<string>();
    const { port } = await rawServer((socket) => {
      let all = '';
      socket.on('data', (chunk) => {
        if (all === '') socket.write(switching);
        all += chunk.toString();
        if (all.endsWith('early')) received.put(all);
      });
    });
    const front = await upgradeFrontOf(upstreamAt(port));
    rawClient(front.port).write(`${handshake}early`);
    expect(await received.take()).toMatch(/\r\n\r\nearly$/);
  });

  test('no 101 before the upstream gave its own', async () => {
    const sockets = new Queue<Socket>();
    const { port } = await rawServer((socket) => onRequestHead(socket, () => sockets.put(socket)));
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(handshake);
    const socket = await sockets.take();
    expect(client.read()).toBeNull();
    socket.write(switching);
    expect(String((await once(client, 'data'))[0])).toMatch(/^HTTP\/1.1 101 /);
  });

  test('a client that does not read holds the upstream back', async () => {
    const { port, connections } = await rawServer((socket) =>
      onRequestHead(socket, () => {
        socket.write(switching);
        const block = Buffer.alloc(64 * 1024);
        const pour = (): void => {
          while (socket.writable && socket.write(block));
        };
        socket.on('drain', pour);
        pour();
      }),
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(handshake);
    await until(() => (connections[0]?.bytesWritten ?? 0) > 1_000_000);
    let before = -1;
    for (let still = 0; still < 20; still++) {
      const now = connections[0]?.bytesWritten ?? 0;
      if (now !== before) still = 0;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(before).toBeLessThan(24 * 1024 * 1024);
    client.destroy();
    await until(() => connections[0]?.closed === true);
  });
});

describe('when one side dies, so does the other', () => {
  test.each(['end', 'destroy', 'resetAndDestroy'] as const)('client: %s', async (how) => {
    const { port, connections } = await rawServer((socket) =>
      onRequestHead(socket, () => socket.write(switching)),
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(handshake);
    await once(client, 'data');
    client[how]();
    await until(() => connections[0]?.closed === true);
    expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 101 });
    expect(front.upgrader.live).toBe(0);
  });

  test.each(['end', 'destroy', 'resetAndDestroy'] as const)('upstream: %s', async (how) => {
    const { port, connections } = await rawServer((socket) =>
      onRequestHead(socket, () => socket.write(switching)),
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(handshake);
    await once(client, 'data');
    connections[0]?.[how]();
    await readAll(client);
    expect((await front.outcome()).status).toBe(101);
    expect(front.upgrader.live).toBe(0);
  });

  test('a client that leaves during the handshake takes the upstream connection with it', async () => {
    const asked = new Queue<void>();
    const { port, connections } = await rawServer((socket) =>
      onRequestHead(socket, () => asked.put()),
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(handshake);
    await asked.take();
    client.resetAndDestroy();
    await until(() => connections[0]?.closed === true);
    expect(await front.outcome()).toMatchObject({ kind: 'aborted', status: 0 });
  });

  test('closeAll ends tunnels open and opening', async () => {
    const { port, opened } = await echoServer();
    const front = await upgradeFrontOf(upstreamAt(port));
    const webSocket = await openWebSocket(front.port);
    const { webSocket: far } = await opened.take();
    const silent = await rawServer((socket) => socket.resume());
    const other = await upgradeFrontOf(upstreamAt(silent.port));
    const client = rawClient(other.port);
    client.write(handshake);
    await until(() => silent.connections.length === 1);
    const closed = Promise.all([once(webSocket, 'close'), once(far, 'close'), readAll(client)]);
    front.upgrader.closeAll();
    other.upgrader.closeAll();
    expect((await closed)[2]).toMatch(/^HTTP\/1.1 503 /);
    await until(() => silent.connections[0]?.closed === true);
    await until(() => front.upgrader.live + other.upgrader.live === 0);
    expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 101 });
    expect(await other.outcome()).toMatchObject({ kind: 'failed', error: { code: 'refused' } });
  });

  test('a silent tunnel ends if it was given a limit', async () => {
    const { port } = await echoServer();
    const front = await upgradeFrontOf(upstreamAt(port), { timeouts: { idle: 50 } });
    const webSocket = await openWebSocket(front.port);
    await once(webSocket, 'close');
    expect(await front.outcome()).toMatchObject({ status: 101 });
  });
});

describe('refusals', () => {
  test("the upstream's own answer is relayed, and there is no tunnel", async () => {
    const { port } = await httpServer((request, response) => {
      response.writeHead(302, [
        'Location',
        `http://127.0.0.1:${request.socket.localPort}/login`,
        'Set-Cookie',
        'a=1',
        'set-cookie',
        'b=2',
      ]);
      response.write('go ');
      response.end('there');
    });
    const front = await upgradeFrontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, handshake);
    expect(answer).toMatch(
      /^HTTP\/1.1 302 Found\r\nLocation: http:\/\/shop.example\/login\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n[^]*Connection: close\r\n\r\ngo there$/,
    );
    expect(answer).not.toContain('Transfer-Encoding');
    expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 302 });
  });

  test.each([
    [
      '404',
      'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope',
      /^HTTP\/1.1 404 Not Found\r\n[^]*\r\n\r\nnope$/,
    ],
    [
      '426',
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n',
      /^HTTP\/1.1 426 Upgrade Required\r\n/,
    ],
    [
      '200',
      'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok',
      /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/,
    ],
    [
      '101 to h2c',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      /^HTTP\/1.1 502 /,
    ],
    ['101 to nothing', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', /^HTTP\/1.1 502 /],
    ['099', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1.1 502 /],
    ['000', 'HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1.1 502 /],
    [
      'control bytes',
      'HTTP/1.1 404 O\x01h\r\nX-A: \x02\r\nContent-Length: 0\r\n\r\n',
      /^HTTP\/1.1 502 /,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /^HTTP\/1.1 502 /],
    ['nothing', '', /^HTTP\/1.1 502 /],
  ])('an upstream that answers %s', async (_what, answer, expected) => {
    const { port } = await rawServer((socket) =>
      onRequestHead(socket, () => socket.end(answer, 'latin1')),
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const received = await rawExchange(front.port, handshake);
    expect(received).toMatch(expected);
    expect(received).not.toMatch(/^upgrade:/im);
    expect(front.upgrader.live).toBe(0);
  });

  test('a refusal that breaks off midway is broken off, not completed and not hung', async () => {
    const { port } = await rawServer((socket) =>
      onRequestHead(socket, () => {
        socket.write(
          'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
          () => socket.end(),
        );
      }),
    );
    const front = await upgradeFrontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(handshake);
    client.resume();
    const [error] = await once(client, 'error').catch((reason: unknown) => [reason]);
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      status: 404,
      error: { code: 'broken' },
    });
  });

  test('a refusal that the upstream does not finish: a reset, by its own fault', async () => {
    const { port } = await rawServer((socket) =>
      onRequestHead(socket, () =>
        socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nhalf'),
      ),
    );
    const upstream = upstreamAt(port, { timeouts: { idle: 100, client: 50 } });
    const front = await upgradeFrontOf(upstream);
    const client = rawClient(front.port);
    client.write(handshake);
    client.resume();
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      status: 404,
      error: { code: 'timeout', clientFault: false },
    });
  });

  test("a refusal that the client does not read: a reset, by the client's fault", async () => {
    const { port, connections } = await rawServer((socket) =>
      onRequestHead(socket, () => {
        socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 100000000\r\n\r\n');
        socket.write(Buffer.alloc(100_000_000));
      }),
    );
    const upstream = upstreamAt(port, { timeouts: { idle: 50, client: 100 } });
    const front = await upgradeFrontOf(upstream);
    rawClient(front.port).write(handshake);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      status: 404,
      error: { code: 'client timeout', clientFault: true },
    });
    await until(() => connections[0]?.closed === true);
  });

  test('a dead upstream: 503', async () => {
    const front = await upgradeFrontOf(upstreamAt(await closedPort()));
    expect(await rawExchange(front.port, handshake)).toMatch(
      /^HTTP\/1.1 503 Service Unavailable\r\n[^]*Retry-After: 5\r\n\r\n503 Service Unavailable\n$/,
    );
    expect(await front.outcome()).toMatchObject({ kind: 'failed', error: { code: 'refused' } });
  });

  test('a silent upstream: 504', async () => {
    const { port, connections } = await rawServer((socket) => socket.resume());
    const front = await upgradeFrontOf(upstreamAt(port, { timeouts: { firstByte: 50 } }));
    expect(await rawExchange(front.port, handshake)).toMatch(/^HTTP\/1.1 504 /);
    expect(await front.outcome()).toMatchObject({ kind: 'failed', error: { code: 'timeout' } });
    await until(() => connections[0]?.closed === true);
  });
});

describe('what a client sends does not throw and does not reach the upstream', () => {
  test.each([
    ['POST', requestHead(asking + key + version, 'POST / HTTP/1.1')],
    ['HTTP/1.0', requestHead(asking + key + version, 'GET / HTTP/1.0')],
    ['another protocol', requestHead(`Connection: Upgrade\r\nUpgrade: h2c\r\n${key}${version}`)],
    [
      'two protocols',
      requestHead(`Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n${key}${version}`),
    ],
    ['no key', requestHead(asking + version)],
    ['two keys', requestHead(asking + key + key + version)],
    ['a short key', requestHead(`${asking}Sec-WebSocket-Key: abc\r\n${version}`)],
    ['no version', requestHead(asking + key)],
    ['an odd version', requestHead(`${asking}${key}Sec-WebSocket-Version: x\r\n`)],
    ['a body', `${requestHead(`${asking}${key}${version}Content-Length: 4\r\n`)}body`],
    [
      'chunks',
      `${requestHead(`${asking}${key}${version}Transfer-Encoding: chunked\r\n`)}0\r\n\r\n`,
    ],
    ['target http://[', requestHead(asking + key + version, 'GET http://[ HTTP/1.1')],
    [
      'target http://a:b@c:99999/',
      requestHead(asking + key + version, 'GET http://a:b@c:99999/ HTTP/1.1'),
    ],
    [
      'target ftp://elsewhere.example/',
      requestHead(asking + key + version, 'GET ftp://elsewhere.example/ HTTP/1.1'),
    ],
    ['target *', requestHead(asking + key + version, 'GET * HTTP/1.1')],
  ])('%s: 400', async (_what, text) => {
    const { port, connections } = await rawServer(() => {});
    const front = await upgradeFrontOf(upstreamAt(port));
    expect(await rawExchange(front.port, text)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(connections).toHaveLength(0);
  });

  test.each(['/\\', '/[', '//a:b@c:99999/', '//[', '/%zz', '/?', '/a?b?c#d'])(
    'the path %s arrives',
    async (path) => {
      const { port, heads } = await headServer(
        'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
      );
      const front = await upgradeFrontOf(upstreamAt(port), {}, { target: path });
      expect(await rawExchange(front.port, handshake)).toMatch(/^HTTP\/1.1 404 /);
      expect((await heads.take()).split(' HTTP/1.1')[0]).toBe(`GET ${path}`);
    },
  );

  test('of an absolute target, path and query arrive', async () => {
    const { port, heads } = await headServer('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    const front = await upgradeFrontOf(upstreamAt(port));
    const line = 'GET http://elsewhere.example/a?b HTTP/1.1';
    const answer = await rawExchange(front.port, requestHead(asking + key + version, line));
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(await heads.take()).toMatch(/^GET \/a\?b HTTP\/1.1\r\n/);
  });

  test('a header value that cannot be sent is a bad request', async () => {
    const { port } = await rawServer(() => {});
    const front = await upgradeFrontOf(upstreamAt(port), {}, { headers: ['X-A', 'a\r\nb'] });
    expect(await rawExchange(front.port, handshake)).toMatch(/^HTTP\/1.1 400 /);
    expect(front.upgrader.live).toBe(0);
  });

  test('asksForWebSocket lets node treat other upgrades as plain requests', async () => {
    const { server, port } = await httpServer((_request, response) => response.end('plain'), {
      shouldUpgradeCallback: asksForWebSocket,
    });
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 418 Upgraded\r\n\r\n'));
    const h2c = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n';
    expect(await rawExchange(port, h2c)).toMatch(/^HTTP\/1.1 200 [^]*plain$/);
    expect(await rawExchange(port, handshake)).toMatch(/^HTTP\/1.1 418 /);
  });
});
