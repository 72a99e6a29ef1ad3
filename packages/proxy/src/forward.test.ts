import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import {
  closedPort,
  frontOf,
  headServer,
  httpServer,
  listen,
  onRequestHead,
  Queue,
  rawClient,
  rawExchange,
  rawServer,
  readAll,
  until,
  upstreamAt,
} from '../test/loopback.ts';
import { forward } from './forward.ts';

const closing = 'Connection: close\r\n';

/** An upstream that tells what it was asked. */
async function tellingUpstream() {
  const seen = new Queue<{ method: string; url: string; rawHeaders: string[]; body: string }>();
  const { port } = await httpServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', rawHeaders } = request;
    seen.put({ method, url, rawHeaders, body });
    response.end('told');
  });
  return { port, seen };
}

/** An upstream that answers every request with the same bytes. */
async function fixedUpstream(answer: string, { thenClose = false } = {}) {
  return rawServer((socket) => {
    onRequestHead(socket, () => {
      socket.write(answer, 'latin1');
      if (thenClose) socket.end();
    });
  });
}

/** Answers the first request of each connection and drops it at the second. */
async function forgetfulUpstream(heads: string[], { always = false } = {}) {
  return rawServer((socket, connection) =>
    onRequestHead(socket, (head, nth) => {
      heads.push(head);
      if (nth === 1 && (connection === 1 || !always))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.destroy();
    }),
  );
}

describe('heads', () => {
  test('the request keeps order, case and duplicates on the wire', async () => {
    const { port, heads } = await headServer('HTTP/1.1 204 No Content\r\n\r\n');
    const front = await frontOf(upstreamAt(port), { append: ['X-Request-Id', '1'] });
    await rawExchange(
      front.port,
      `GET /a%20b//c/../d?x=1&y HTTP/1.1\r\nX-b: 1\r\nhOST: shop.example\r\nCookie: a\r\nX-B: 2\r\nCookie: b\xe9\r\n${closing}\r\n`,
    );
    expect((await heads.take()).split('\r\n')).toEqual([
      'GET /a%20b//c/../d?x=1&y HTTP/1.1',
      'host: shop.example',
      'connection: keep-alive',
      'X-b: 1',
      'Cookie: a',
      'X-B: 2',
      'Cookie: b\xe9',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Host: shop.example',
      'X-Forwarded-Proto: http',
      'Forwarded: for=127.0.0.1;host=shop.example;proto=http',
      'X-Request-Id: 1',
      '',
      '',
    ]);
  });

  test('the answer keeps order, case and duplicates on the wire', async () => {
    const { port } = await fixedUpstream(
      'HTTP/1.1 201 Fine\r\nserver: x\r\nSet-Cookie: a=1\r\nX-Hop: 1\r\nset-cookie: b=2; Path=/\r\nConnection: x-hop\r\nDATE: today\r\nKeep-Alive: timeout=9\r\nSet-Cookie: c=\xe9\r\nContent-Length: 2\r\n\r\nok',
    );
    const front = await frontOf(upstreamAt(port), {
      exchange: { onHead: (status, headers) => [...headers, 'X-Last', String(status)] },
    });
    const answer = await rawExchange(front.port, `GET / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(answer.split('\r\n')).toEqual([
      'HTTP/1.1 201 Created',
      'server: x',
      'Set-Cookie: a=1',
      'set-cookie: b=2; Path=/',
      'DATE: today',
      'Set-Cookie: c=\xe9',
      'Content-Length: 2',
      'X-Last: 201',
      'Connection: close',
      '',
      'ok',
    ]);
  });

  test('a Location on the upstream moves to the public origin', async () => {
    const { port } = await httpServer((request, response) => {
      response
        .writeHead(302, { Location: `http://127.0.0.1:${request.socket.localPort}/next?a=1` })
        .end();
    });
    const front = await frontOf(upstreamAt(port));
    const answer = await fetch(`http://127.0.0.1:${front.port}/`, {
      redirect: 'manual',
    });
    expect(answer.headers.get('location')).toBe('http://shop.example/next?a=1');
  });

  test('a head that comes alone is not held back', async () => {
    const { port, connections } = await fixedUpstream(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const front = await frontOf(upstreamAt(port));
    const answer = await fetch(`http://127.0.0.1:${front.port}/`);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    connections[0]?.write('3\r\nhi\n\r\n0\r\n\r\n');
    expect(await answer.text()).toBe('hi\n');
  });

  test('interim answers are passed on', async () => {
    const { port } = await fixedUpstream(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    const front = await frontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, `GET / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  });
});

describe('framing', () => {
  test.each([
    ['GET', 'Content-Length: 4\r\n', 'body'],
    ['DELETE', 'Content-Length: 4\r\n', 'body'],
    ['OPTIONS', 'Content-Length: 4\r\n', 'body'],
    ['POST', 'Content-Length: 4\r\n', 'body'],
    ['PROPFIND', 'Content-Length: 4\r\n', 'body'],
    ['GET', 'Transfer-Encoding: chunked\r\n', '4\r\nbody\r\n0\r\n\r\n'],
    ['DELETE', 'Transfer-Encoding: chunked\r\n', '4\r\nbody\r\n0\r\n\r\n'],
    ['PUT', 'Transfer-Encoding: chunked\r\n', '4\r\nbody\r\n0\r\nX-Trailer: 1\r\n\r\n'],
  ])('%s with %s keeps its body', async (method, framing, body) => {
    const { port, seen } = await tellingUpstream();
    const front = await frontOf(upstreamAt(port));
    await rawExchange(
      front.port,
      `${method} / HTTP/1.1\r\nHost: a\r\n${framing}${closing}\r\n${body}`,
    );
    expect(await seen.take()).toMatchObject({ method, body: 'body' });
    expect(await front.outcome()).toMatchObject({ kind: 'completed', bytesIn: 4, bytesOut: 4 });
  });

  test.each([
    ['GET', ''],
    ['DELETE', ''],
    ['POST', 'Content-Length: 0\r\n'],
    ['POST', 'Transfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ])(
    '%s with "%s" has no body, and the connection stays in step',
    async (method, framing, body = '') => {
      const { port, seen } = await tellingUpstream();
      const front = await frontOf(upstreamAt(port));
      const one = `${method} /1 HTTP/1.1\r\nHost: a\r\n${framing}\r\n${body}`;
      await rawExchange(front.port, `${one}GET /2 HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
      // Pipelined by the client, they travel on two connections of ours.
      const both = [await seen.take(), await seen.take()].toSorted((a, b) =>
        a.url.localeCompare(b.url),
      );
      expect(both).toMatchObject([
        { method, url: '/1', body: '' },
        { method: 'GET', url: '/2', body: '' },
      ]);
    },
  );

  test('Expect: 100-continue is passed on, and answered by the upstream', async () => {
    const { port, seen } = await tellingUpstream();
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(
      `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n${closing}\r\n`,
    );
    const [interim] = await once(client, 'data');
    expect(String(interim)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('body');
    expect(await readAll(client)).toMatch(/^HTTP\/1.1 200 /);
    const { body, rawHeaders } = await seen.take();
    expect(body).toBe('body');
    expect(rawHeaders.join()).toContain('Expect,100-continue');
  });

  test('HEAD: the length of a body that does not come', async () => {
    const { port } = await fixedUpstream('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    const front = await frontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, `HEAD / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(answer).toMatch(/\r\nContent-Length: 1000\r\n[^]*\r\n\r\n$/);
    expect(await front.outcome()).toMatchObject({ kind: 'completed', bytesOut: 0 });
  });

  test.each([
    ['204 No Content', ''],
    ['304 Not Modified', 'Content-Length: 1000\r\nETag: "a"\r\n'],
  ])('%s has no body', async (status, fields) => {
    const { port } = await fixedUpstream(`HTTP/1.1 ${status}\r\n${fields}\r\n`);
    const front = await frontOf(upstreamAt(port));
    const two = `GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`;
    const answer = await rawExchange(front.port, two);
    expect(answer.split(`HTTP/1.1 ${status}\r\n`)).toHaveLength(3);
    expect(answer).toContain(fields);
    expect(answer).not.toContain('Transfer-Encoding');
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  test('trailers of the answer survive', async () => {
    const { port } = await fixedUpstream(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nKeep-Alive: 7\r\n\r\n',
    );
    const front = await frontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, `GET / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(answer).toMatch(/2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });

  test('a body that ends with the connection is complete', async () => {
    const { port } = await fixedUpstream('HTTP/1.0 200 OK\r\n\r\nall of it', { thenClose: true });
    const front = await frontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, `GET / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(answer).toMatch(/9\r\nall of it\r\n0\r\n\r\n$/);
  });

  test('an HTTP/1.0 client gets no chunks', async () => {
    const { port } = await fixedUpstream(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    );
    const front = await frontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, 'GET / HTTP/1.0\r\n\r\n');
    expect(answer).toMatch(/\r\n\r\nok$/);
  });
});

describe('aborts', () => {
  test('a client that leaves before the head takes the upstream request with it', async () => {
    const requests = new Queue<IncomingMessage>();
    const { port } = await httpServer((request) => requests.put(request));
    const upstream = upstreamAt(port);
    const front = await frontOf(upstream);
    const client = rawClient(front.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const request = await requests.take();
    client.destroy();
    await once(request.socket, 'close');
    expect(await front.outcome()).toMatchObject({ kind: 'aborted', status: 0 });
    expect(upstream.inFlight).toBe(0);
  });

  test('a client that leaves inside the body takes the upstream request with it', async () => {
    const { port, connections } = await fixedUpstream(
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstart',
    );
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(client, 'data');
    client.destroy();
    expect(await front.outcome()).toMatchObject({ kind: 'aborted', status: 200, bytesOut: 5 });
    await until(() => connections[0]?.closed === true);
  });

  test('a client that leaves inside its upload takes the upstream request with it', async () => {
    const requests = new Queue<IncomingMessage>();
    const { port } = await httpServer((request) => {
      request.resume();
      requests.put(request);
    });
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nstart');
    const request = await requests.take();
    client.destroy();
    await until(() => request.closed);
    expect(request.complete).toBe(false);
    expect(await front.outcome()).toMatchObject({ kind: 'aborted', bytesIn: 5 });
  });

  test('a client that leaves while its pipelined request waits takes that one with it too', async () => {
    const requests = new Queue<IncomingMessage>();
    const { port } = await httpServer((request) => requests.put(request));
    const upstream = upstreamAt(port);
    const front = await frontOf(upstream);
    const client = rawClient(front.port);
    client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    const both = [await requests.take(), await requests.take()];
    client.destroy();
    await until(() => both.every((request) => request.socket.closed));
    expect([await front.outcome(), await front.outcome()]).toMatchObject([
      { kind: 'aborted' },
      { kind: 'aborted' },
    ]);
    expect(upstream.inFlight).toBe(0);
  });

  test('a client that left before forward() was called costs the upstream nothing', async () => {
    const { port, connections } = await rawServer(() => {});
    const upstream = upstreamAt(port);
    const kinds = new Queue<string>();
    const front = await httpServer((request, response) => {
      response.once('close', () => {
        forward(request, response, {
          upstream,
          headers: [],
          publicOrigin: 'http://a',
          onHead: (_status, headers) => headers,
          onDone: ({ kind }) => kinds.put(kind),
        });
      });
      client.destroy();
    });
    const client = rawClient(front.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await kinds.take()).toBe('aborted');
    expect(upstream.inFlight).toBe(0);
    expect(connections).toHaveLength(0);
  });

  test.each([
    ['length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('an upstream that dies inside its body (%s) breaks the answer', async (_framing, part) => {
    for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const { port } = await rawServer((socket) =>
        onRequestHead(socket, () => socket.write(part, () => setImmediate(() => socket[end]()))),
      );
      const front = await frontOf(upstreamAt(port));
      const answer = await rawExchange(front.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(answer).toMatch(/half(\r\n)?$/);
      expect(await front.outcome()).toMatchObject({
        kind: 'failed',
        status: 200,
        bytesOut: 4,
        error: { code: 'broken', status: 502 },
      });
    }
  });

  test('an HTTP/1.0 client is told by a reset that the answer is not whole', async () => {
    const { port } = await rawServer((socket) =>
      onRequestHead(socket, () =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
      ),
    );
    const front = await frontOf(upstreamAt(port, { timeouts: { idle: 50 } }));
    const client = rawClient(front.port);
    client.write('GET / HTTP/1.0\r\n\r\n');
    const [error] = await once(client, 'error').catch((reason: unknown) => [reason]);
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('an early answer reaches a client that is still uploading', async () => {
    const { port } = await httpServer((_request, response) => {
      response.writeHead(413, { Connection: 'close' }).end('too large');
    });
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n${closing}\r\nstart`);
    expect(await readAll(client)).toMatch(/^HTTP\/1.1 413 [^]*too large/);
    expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 413 });
  });

  test('after an early answer the rest of the upload is read past', async () => {
    const { port } = await httpServer((request, response) => {
      if (request.url === '/1') response.end('early');
      else response.end('second');
    });
    const front = await frontOf(upstreamAt(port));
    const client = rawClient(front.port);
    client.write('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\nstart');
    await once(client, 'data');
    client.write(`${'x'.repeat(299_995)}GET /2 HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(await readAll(client)).toMatch(/second/);
  });
});

describe('failures before the head', () => {
  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['status 099', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['status 000', 'HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n'],
    [
      '101 without being asked',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['control bytes in a value', 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n'],
    [
      'control bytes in the reason',
      'HTTP/1.1 200 O\x01K\r\nX-A\x02: b\r\nContent-Length: 0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
    ['a head without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['nothing', ''],
  ])('%s: 502, and nothing was written', async (_what, answer) => {
    const { port } = await fixedUpstream(answer, { thenClose: true });
    const front = await frontOf(upstreamAt(port));
    const received = await rawExchange(front.port, `GET / HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    expect(received).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
    expect(received).not.toContain('X-A');
    const outcome = await front.outcome();
    expect(outcome).toMatchObject({ kind: 'failed', bytesOut: 0, error: { status: 502 } });
  });

  test('bad chunks end the answer as broken', async () => {
    const { port } = await fixedUpstream(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n',
    );
    const front = await frontOf(upstreamAt(port));
    const answer = await rawExchange(front.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer).not.toMatch(/0\r\n\r\n$/);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      error: { code: 'invalid answer' },
    });
  });

  test.each(['http://[', 'http://a:b@c:99999/', '*', 'shop.example:80', ''])(
    'the target %s is no reason to throw: 400',
    async (target) => {
      const { port, connections } = await rawServer(() => {});
      const front = await frontOf(upstreamAt(port), { exchange: { target } });
      expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(400);
      expect(await front.outcome()).toMatchObject({
        kind: 'failed',
        error: { code: 'invalid request' },
      });
      expect(connections).toHaveLength(0);
    },
  );

  test.each(['/\\', '/[', '//a:b@c:99999/', '/%', '/\'"<>{}|^`', '/é'])(
    'the path %s arrives as it is',
    async (target) => {
      const { port, heads } = await headServer('HTTP/1.1 204 No Content\r\n\r\n');
      const front = await frontOf(upstreamAt(port), { exchange: { target } });
      expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(204);
      expect((await heads.take()).startsWith(`GET ${target} HTTP/1.1\r\n`)).toBe(true);
    },
  );

  test.each([
    ['GET http://elsewhere.example/a?b', 'GET /a?b'],
    ['GET HTTPS://elsewhere.example', 'GET /'],
    ['OPTIONS http://elsewhere.example/', 'OPTIONS /'],
  ])('%s is forwarded as %s, with the Host that was sent', async (sent, forwarded) => {
    const { port, heads } = await headServer('HTTP/1.1 204 No Content\r\n\r\n');
    const front = await frontOf(upstreamAt(port));
    await rawExchange(front.port, `${sent} HTTP/1.1\r\nHost: a\r\n${closing}\r\n`);
    const head = await heads.take();
    expect(head.startsWith(`${forwarded} HTTP/1.1\r\nhost: a\r\n`)).toBe(true);
    expect(head).not.toContain('elsewhere');
  });

  test.each(['GET http://[', 'GET ftp://elsewhere.example/', 'GET *', 'OPTIONS *'])(
    '%s cannot be forwarded: 400',
    async (line) => {
      const { port, connections } = await rawServer(() => {});
      const front = await frontOf(upstreamAt(port));
      const text = `${line} HTTP/1.1\r\nHost: a\r\n${closing}\r\n`;
      expect(await rawExchange(front.port, text)).toMatch(/^HTTP\/1.1 400 /);
      expect(connections).toHaveLength(0);
    },
  );

  test('an error thrown by onHead fails the exchange, not the process', async () => {
    const { port } = await fixedUpstream('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    const front = await frontOf(upstreamAt(port), {
      exchange: {
        onHead() {
          throw new Error('ours');
        },
      },
    });
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(502);
    const outcome = await front.outcome();
    expect(outcome.kind === 'failed' && outcome.error.cause).toMatchObject({ message: 'ours' });
  });

  test('the caller may turn to another upstream, body and all', async () => {
    const { port, seen } = await tellingUpstream();
    const spare = upstreamAt(port);
    const front = await frontOf(upstreamAt(await closedPort()), {
      onFailure(request, response) {
        forward(request, response, {
          upstream: spare,
          headers: ['Content-Length', '4'],
          publicOrigin: 'http://a',
          onHead: (_status, headers) => headers,
          onDone: () => {},
        });
      },
    });
    const answer = await fetch(`http://127.0.0.1:${front.port}/x`, {
      method: 'POST',
      body: 'body',
    });
    expect(await answer.text()).toBe('told');
    expect(await seen.take()).toMatchObject({ method: 'POST', url: '/x', body: 'body' });
  });
});

describe('a keep-alive connection that the upstream closes as we write to it', () => {
  test.each(['GET', 'OPTIONS'])('%s is tried once more', async (method) => {
    const heads: string[] = [];
    const { port, connections } = await forgetfulUpstream(heads);
    const front = await frontOf(upstreamAt(port));
    const url = `http://127.0.0.1:${front.port}/`;
    expect((await fetch(url)).status).toBe(200);
    const second = await fetch(url, { method });
    expect(second.status).toBe(200);
    expect(await second.text()).toBe('ok');
    expect(heads).toHaveLength(3);
    expect(connections).toHaveLength(2);
    expect([await front.outcome(), await front.outcome()]).toMatchObject([
      { kind: 'completed' },
      { kind: 'completed' },
    ]);
  });

  test.each([
    ['POST', 'body'],
    ['DELETE', undefined],
    ['PUT', 'body'],
  ])('%s is not', async (method, body) => {
    const heads: string[] = [];
    const { port } = await forgetfulUpstream(heads);
    const front = await frontOf(upstreamAt(port));
    const url = `http://127.0.0.1:${front.port}/`;
    await (await fetch(url)).text();
    expect((await fetch(url, { method, ...(body !== undefined && { body }) })).status).toBe(502);
    expect(heads.length).toBeLessThanOrEqual(2);
  });

  test('a GET with a body is not', async () => {
    const heads: string[] = [];
    const { port } = await forgetfulUpstream(heads);
    const front = await frontOf(upstreamAt(port));
    await (await fetch(`http://127.0.0.1:${front.port}/`)).text();
    const answer = await rawExchange(
      front.port,
      `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n${closing}\r\nbody`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 502 /);
  });

  test('a second death is final', async () => {
    const heads: string[] = [];
    const { port } = await forgetfulUpstream(heads, { always: true });
    const front = await frontOf(upstreamAt(port));
    const url = `http://127.0.0.1:${front.port}/`;
    await (await fetch(url)).text();
    expect((await fetch(url)).status).toBe(502);
    expect(heads).toHaveLength(3);
  });

  test('a fresh connection that dies is not tried again: the request may be what killed it', async () => {
    const heads: string[] = [];
    const { port } = await rawServer((socket) =>
      onRequestHead(socket, (head) => {
        heads.push(head);
        socket.destroy();
      }),
    );
    const front = await frontOf(upstreamAt(port));
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(502);
    expect(heads).toHaveLength(1);
  });

  test('one that has begun to answer is not tried again', async () => {
    const { port, connections } = await rawServer((socket) =>
      onRequestHead(socket, (_head, nth) => {
        if (nth === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.end('HTTP/1.1 200 OK\r\nConte');
      }),
    );
    const front = await frontOf(upstreamAt(port));
    const url = `http://127.0.0.1:${front.port}/`;
    await (await fetch(url)).text();
    expect((await fetch(url)).status).toBe(502);
    expect(connections).toHaveLength(1);
  });
});

test('an upstream that restarts is found again by every request', async () => {
  const first = createServer((_request, response) => response.end('one'));
  const port = await listen(first);
  const front = await frontOf(upstreamAt(port));
  const url = `http://127.0.0.1:${front.port}/`;
  await Promise.all(Array.from({ length: 10 }, async () => (await fetch(url)).text()));
  first.closeAllConnections();
  first.close();
  await once(first, 'close');
  const second = createServer((_request, response) => response.end('two'));
  second.listen(port, '127.0.0.1');
  await once(second, 'listening');
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => (await fetch(url)).text()),
  );
  expect(new Set(answers)).toEqual(new Set(['two']));
  second.closeAllConnections();
  second.close();
});
