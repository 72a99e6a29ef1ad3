import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send } from '../kit/http.ts';

/*
 * An edge that TLS ends in front of, and two edges that lead to each other.
 */

const experiment = {
  key: 'home',
  status: 'running',
  variants: [
    { key: 'control', upstream: 'site', weight: 50, control: true },
    { key: 'B', upstream: 'site', weight: 50 },
  ],
};

let site: Server;
let seen: IncomingMessage['headers'] = {};
let url: string;
const edges: EdgeProcess[] = [];

async function edge(config: Record<string, unknown>): Promise<EdgeProcess> {
  const started = await startEdge({
    workers: 1,
    config: { upstreams: { site: { url } }, default: 'site', drain: '500ms', ...config },
  });
  edges.push(started);
  return started;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
  return address.port;
}

function cookies(answer: Awaited<ReturnType<typeof send>>): string[] {
  return [answer.headers['set-cookie'] ?? []].flat();
}

beforeAll(async () => {
  site = createServer((request, response) => {
    seen = request.headers;
    response.end('site');
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  url = `http://127.0.0.1:${portOf(site)}`;
});

afterAll(async () => {
  await Promise.all(edges.map((started) => started.remove()));
  site.close();
});

describe('with trusted hops', () => {
  const https = { ...NAVIGATION, 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
  let trusting: EdgeProcess;

  beforeAll(async () => {
    trusting = await edge({
      public: { port: 0, trustedHops: { addresses: ['127.0.0.1'] } },
      experiments: [experiment],
    });
  });

  test('who came by https gets a cookie that stays on https', async () => {
    const [cookie = ''] = cookies(await send(trusting.url, https));
    expect(cookie).toMatch(/^__Host-turnout=1\..*; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(seen).toMatchObject({
      'x-forwarded-for': '203.0.113.7, 127.0.0.1',
      'x-forwarded-proto': 'https',
    });
    await expect
      .poll(() => trusting.logged('request').map(({ remote }) => remote))
      .toContain('203.0.113.7');
  });

  test('who came by http gets one that http can carry', async () => {
    const [cookie = ''] = cookies(await send(trusting.url, NAVIGATION));
    expect(cookie).toMatch(/^turnout=1\.(?!.*Secure)/);
  });

  test('who changes to https stays who they are, and is told the new name', async () => {
    const [plain = ''] = cookies(await send(trusting.url, NAVIGATION));
    const [pair = ''] = plain.split(';');
    const [secure = ''] = cookies(await send(trusting.url, { ...https, cookie: pair }));
    expect(secure.split(';')[0]).toBe(`__Host-${pair}`);
    const again = await send(trusting.url, { ...https, cookie: `__Host-${pair}` });
    expect(cookies(again)).toEqual([]);
  });
});

test('nobody is believed unless they are listed', async () => {
  const plain = await edge({ public: { port: 0 }, experiments: [experiment] });
  const answer = await send(plain.url, { ...NAVIGATION, 'x-forwarded-proto': 'https' });
  expect(cookies(answer)[0]).toMatch(/^turnout=1\.(?!.*Secure)/);
  expect(seen['x-forwarded-proto']).toBe('http');
});

test('a public address by https makes cookies Secure, however the last hop comes', async () => {
  const secure = await edge({
    public: { port: 0, url: 'https://shop.example' },
    experiments: [experiment],
  });
  expect(cookies(await send(secure.url, NAVIGATION))[0]).toMatch(/^__Host-turnout=.*; Secure$/);
});

test('two edges that lead to each other end the loop with 508', async () => {
  // The first one's address is known only when the second one needs it.
  let target = 0;
  let rounds = 0;
  const relay = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    rounds += 1;
    const answer = await fetch(`http://127.0.0.1:${target}${path ?? '/'}`, {
      method: method ?? 'GET',
      headers: { via: headers.via ?? '' },
    });
    response.writeHead(answer.status).end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const relayUrl = `http://127.0.0.1:${portOf(relay)}`;
  const second = await edge({
    upstreams: { next: { url: relayUrl } },
    default: 'next',
    node: 'two',
  });
  const first = await edge({
    upstreams: { next: { url: second.url } },
    default: 'next',
    node: 'one',
  });
  target = Number(new URL(first.url).port);
  expect((await send(first.url)).status).toBe(508);
  // A server may call its own public address, and that one another.
  expect(rounds).toBe(3);
  relay.close();
});
