import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { listen, listenBare } from './testing/site.ts';
import { createServer } from 'node:http';
import { createUpstreamClient, type Ask } from './upstream-client.ts';

const ASK: Ask = { host: 'shop.example', proto: 'https', accept: 'page' };

test('it asks as the edge does for a visitor, and the same question once', async () => {
  const seen: unknown[] = [];
  const server = await listen(
    createServer(({ method, url, headers }, response) => {
      seen.push({ method, url, headers });
      response.end();
    }),
  );
  const client = createUpstreamClient({ name: 'next', url: server.url, timeout: 20_000 });
  try {
    await Promise.all([client.get('/a?b=c', ASK), client.get('/a?b=c', ASK)]);
    expect(seen).toEqual([
      {
        method: 'GET',
        url: '/a?b=c',
        headers: expect.objectContaining({
          host: 'shop.example',
          'x-forwarded-host': 'shop.example',
          'x-forwarded-proto': 'https',
          forwarded: 'for=127.0.0.1;host="shop.example";proto=https',
        }),
      },
    ]);
  } finally {
    client.close();
    await server.close();
  }
});

test('what comes compressed all the same is read, and what is no such thing is a failure', async () => {
  const bodies = {
    gzip: gzipSync('hello'),
    br: brotliCompressSync('hello'),
    deflate: deflateSync('hello'),
  };
  const server = await listen(
    createServer(({ url = '' }, response) => {
      const [, encoding = '', isBroken] = url.split('/');
      const body = Object.entries(bodies).find(([name]) => name === encoding)?.[1];
      response.setHeader('Content-Encoding', encoding);
      response.end(isBroken === undefined ? body : 'plain');
    }),
  );
  const client = createUpstreamClient({ name: 'next', url: server.url, timeout: 20_000 });
  try {
    for (const encoding of Object.keys(bodies)) {
      expect(await client.get(`/${encoding}`, ASK)).toMatchObject({ body: 'hello' });
      expect(await client.get(`/${encoding}/broken`, ASK)).toMatchObject({ kind: 'failure' });
    }
  } finally {
    client.close();
    await server.close();
  }
});

test('a body without end is cut', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const server = await listenBare((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const fill = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', fill);
    fill();
  });
  const client = createUpstreamClient({ name: 'next', url: server.url, timeout: 20_000 });
  try {
    const answer = await client.get('/', ASK);
    expect(answer.kind === 'answer' && answer.body.length).toBe(4 * 1024 * 1024);
  } finally {
    client.close();
    await server.close();
  }
});

test('an upstream that fails again and again is left alone', async () => {
  let connections = 0;
  const server = await listenBare((socket) => {
    connections += 1;
    socket.end('no HTTP\r\n');
  });
  const client = createUpstreamClient({ name: 'next', url: server.url, timeout: 20_000 });
  try {
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => client.get(path, ASK)));
    expect(answers.every(({ kind }) => kind === 'failure')).toBe(true);
    expect(answers.at(-1)).toMatchObject({ problem: expect.stringContaining('was not asked') });
    // One more may have been under way.
    expect(connections).toBeLessThanOrEqual(6);
  } finally {
    client.close();
    await server.close();
  }
});
