import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { metricValue } from '../kit/metrics.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';

let upstreams: LightUpstreams;
let redis: RedisServer | undefined;
let edge: EdgeProcess;

beforeAll(async () => {
  upstreams = await startLightUpstreams(['wordpress', 'next', 'vue', 'api']);
  redis = hasRedis() ? await startRedis() : undefined;
  edge = await startEdge({
    config: {
      upstreams: upstreams.config,
      default: 'wordpress',
      routes: [
        { path: '/api/**', upstream: 'api' },
        { path: '/next/**', upstream: 'next' },
      ],
      experiments: [
        {
          key: 'home-redesign',
          status: 'running',
          scope: { paths: ['/', '/plans/**'] },
          audience: { not: { cookie: { name: 'wordpress_logged_in_*' } } },
          variants: [
            { key: 'control', upstream: 'wordpress', weight: 50, control: true },
            { key: 'A', upstream: 'next', weight: 20 },
            { key: 'B', upstream: 'vue', weight: 30 },
          ],
        },
      ],
    },
    env: redis === undefined ? {} : { TURNOUT_REDIS_URL: redis.url },
  });
});
afterAll(async () => {
  await edge.remove();
  await redis?.stop();
  await upstreams.close();
});

const get = (path: string, headers?: Record<string, string>) => send(`${edge.url}${path}`, headers);

async function newVisitor(): Promise<{ cookie: string; served: string }> {
  const response = await get('/');
  const cookie = visitorCookie(response);
  if (cookie === undefined) throw new Error('Expected a first visit to set the cookie');
  return { cookie, served: response.text };
}

test('a first visit gets a cookie as the contract says, and a private page', async () => {
  const response = await get('/');
  expect(response.headers['set-cookie']).toMatch(
    /^turnout=1\.[\w-]{22}\.home-redesign:(control|A|B):1\.[\w-]{22}; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  expect(response.headers['cache-control']).toBe('private, no-cache');
  expect(response.headers['x-request-id']).toMatch(/^[\da-f]{8}-[\da-f]{4}-7/);
  expect(response.headers['server-timing']).toMatch(
    /^edge;dur=[\d.]+, upstream;dur=[\d.]+, request;desc="[\da-f-]{36}"$/,
  );
});

test('the upstream learns who visits, and nothing that the visitor made up', async () => {
  const { cookie, served } = await newVisitor();
  await get('/', {
    ...NAVIGATION,
    cookie,
    'x-turnout-visitor': 'somebody-else',
    'x-turnout-assignments': 'home-redesign=Z',
    'x-forwarded-for': '203.0.113.7',
    'x-request-id': 'mine',
  });
  const headers = upstreams.lastHeaders.get(served);
  const variant = { wordpress: 'control', next: 'A', vue: 'B' }[served];
  expect(headers?.['x-turnout-visitor']).toBe(cookie.split('.')[1]);
  expect(headers?.['x-turnout-assignments']).toBe(`home-redesign=${variant}`);
  expect(headers?.['x-forwarded-for']).toBe('127.0.0.1');
  expect(headers?.['x-forwarded-proto']).toBe('http');
  expect(headers?.['host']).toBe(new URL(edge.url).host);
  expect(headers?.['x-request-id']).toMatch(/^[\da-f]{8}-/);
});

test('the owner of a route learns who visits too, from the cookie alone', async () => {
  const { cookie, served } = await newVisitor();
  await get('/api/sign-ups', { cookie, 'x-turnout-visitor': 'somebody-else' });
  const variant = { wordpress: 'control', next: 'A', vue: 'B' }[served];
  const known = upstreams.lastHeaders.get('api');
  expect(known?.['x-turnout-visitor']).toBe(cookie.split('.')[1]);
  expect(known?.['x-turnout-assignments']).toBe(`home-redesign=${variant}`);

  await get('/api/plans', { 'x-turnout-visitor': 'somebody-else' });
  expect(upstreams.lastHeaders.get('api')?.['x-turnout-visitor']).toBeUndefined();
});

describe('cookies that do not count make a new visitor, and nothing worse', () => {
  const forged = '1.AAAAAAAAAAAAAAAAAAAAAA.home-redesign:B:1.AAAAAAAAAAAAAAAAAAAAAA';
  const cases: [name: string, cookie: (valid: string) => string][] = [
    ['tampered: another variant', (valid) => valid.replace(/:(control|A|B):/, ':Z:')],
    ['tampered: one character of the mac', (valid) => `${valid.slice(0, -3)}AAA`],
    ['forged', () => `turnout=${forged}`],
    ['of another version', (valid) => valid.replace('=1.', '=2.')],
    ['empty', () => 'turnout='],
    ['cut off', (valid) => valid.slice(0, 40)],
    ['oversized', (valid) => `${valid}${'x'.repeat(8_000)}`],
    [
      'a thousand forgeries',
      () => Array.from({ length: 150 }, () => `turnout=${forged}`).join('; '),
    ],
    ['percent-encoded garbage', () => 'turnout=%00%ff%'],
    ['a prototype name', () => 'turnout=__proto__; __proto__=turnout'],
  ];
  test.each(cases)('%s', async (_, spoil) => {
    const { cookie } = await newVisitor();
    const response = await get('/', { ...NAVIGATION, cookie: spoil(cookie) });
    expect(response.status).toBe(200);
    const minted = visitorCookie(response);
    expect(minted).toMatch(/^turnout=1\./);
    expect(minted?.split('.')[1]).not.toBe(cookie.split('.')[1]);
  });

  test('of duplicates the first valid one counts', async () => {
    const first = await newVisitor();
    const second = await newVisitor();
    const cookie = `turnout=${forged}; ${first.cookie}; theme=dark; ${second.cookie}`;
    const response = await get('/', { ...NAVIGATION, cookie });
    expect(response.text).toBe(first.served);
    expect(visitorCookie(response)).toBeUndefined();
  });

  test('rejected cookies are counted', async () => {
    const text = await edge.metrics();
    expect(metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'rejected' })).toBe(
      cases.length,
    );
  });
});

describe('what mints no visitor', () => {
  const cases: [name: string, path: string, headers: Record<string, string>][] = [
    ['an image of the page', '/plans/hero.png', { 'sec-fetch-mode': 'no-cors', accept: 'image/*' }],
    ['a fetch by a script', '/plans', { 'sec-fetch-mode': 'cors', accept: '*/*' }],
    ['an asset asked for by an old client', '/plans/app.js', { accept: '*/*' }],
    ['a speculative prefetch', '/plans', { ...NAVIGATION, 'sec-purpose': 'prefetch;prerender' }],
    ["a prefetch of Next.js's router", '/plans', { rsc: '1', 'next-router-prefetch': '1' }],
    ['a path that a route owns', '/next/plans', NAVIGATION],
    ['a page that no experiment is about', '/about', NAVIGATION],
  ];
  test.each(cases)('%s', async (_, path, headers) => {
    const response = await get(path, headers);
    expect(response.status).toBe(200);
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  test('a HEAD request', async () => {
    const response = await send(`${edge.url}/`, NAVIGATION, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers['set-cookie']).toBeUndefined();
  });
});

test('an editor who is logged in sees the default, and is no visitor', async () => {
  const { cookie } = await newVisitor();
  for (let i = 0; i < 5; i++) {
    const response = await get('/', {
      ...NAVIGATION,
      cookie: `${cookie}; wordpress_logged_in_1=x`,
    });
    expect(response.text).toBe('wordpress');
  }
});

test('two first requests at once, on different connections, agree', async () => {
  for (let i = 0; i < 50; i++) {
    const { cookie } = await newVisitor();
    const served = await Promise.all(
      Array.from({ length: 4 }, async () => (await get('/', { ...NAVIGATION, cookie })).text),
    );
    expect(new Set(served).size).toBe(1);
  }
});

test.runIf(hasRedis())('of two phases at once the ledger keeps the newer for all', async () => {
  // Two edges disagree for a moment about the phase: no visitor may flip back and forth.
  if (redis === undefined) throw new Error('Expected a Redis server');
  const { cookie } = await newVisitor();
  const id = cookie.split('.')[1];
  const client = new Redis(redis.url);
  await client.hset(`abtest:{${id}}`, 'home-redesign', 'B:2:9');
  client.disconnect();
  const other = await startEdge({
    config: {
      upstreams: upstreams.config,
      default: 'wordpress',
      experiments: [
        {
          key: 'home-redesign',
          status: 'running',
          variants: [
            { key: 'control', upstream: 'wordpress', weight: 100, control: true },
            { key: 'B', upstream: 'vue', weight: 0 },
          ],
        },
      ],
    },
    env: { TURNOUT_REDIS_URL: redis.url, TURNOUT_COOKIE_SECRETS: await secretsOf(edge) },
  });
  try {
    const response = await send(`${other.url}/`, { ...NAVIGATION, cookie });
    expect(response.text).toBe('vue');
  } finally {
    await other.remove();
  }
});

test('GET /_turnout/v1/assignments looks the visitor up, and assigns a new one', async () => {
  const { cookie, served } = await newVisitor();
  const known = await get('/_turnout/v1/assignments', { cookie });
  const variant = { wordpress: 'control', next: 'A', vue: 'B' }[served];
  expect(known.headers['set-cookie']).toBeUndefined();
  expect(JSON.parse(known.text)).toEqual({
    visitor: cookie.split('.')[1],
    assignments: [
      {
        experiment: 'home-redesign',
        variant,
        assigned: true,
        source: expect.stringMatching(/^(cache|store|mirror)$/),
        phase: 1,
        revision: 1,
      },
    ],
  });

  const fresh = await get('/_turnout/v1/assignments', {});
  const body: { visitor: string; assignments: { variant: string }[] } = JSON.parse(fresh.text);
  const minted = visitorCookie(fresh);
  expect(minted).toContain(`.home-redesign:${body.assignments[0]?.variant}:1.`);
  const page = await get('/', { ...NAVIGATION, cookie: minted ?? '' });
  const expected = { control: 'wordpress', A: 'next', B: 'vue' }[
    body.assignments[0]?.variant ?? ''
  ];
  expect(page.text).toBe(expected);
});

test('another site can not ask for assignments, and nothing else is under /_turnout', async () => {
  const foreign = await get('/_turnout/v1/assignments', { 'sec-fetch-site': 'cross-site' });
  expect(foreign.status).toBe(403);
  expect(foreign.headers['set-cookie']).toBeUndefined();
  expect((await get('/_turnout/nothing')).status).toBe(404);
  const post = await send(`${edge.url}/_turnout/v1/assignments`, {}, 'POST');
  expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
});

test('the access log tells of each request, and no visitor by id', async () => {
  const { cookie } = await newVisitor();
  const id = cookie.split('.')[1] ?? '';
  const response = await get('/plans?email=ada@example.org', { ...NAVIGATION, cookie });
  const requestId = response.headers['x-request-id'];
  await expect
    .poll(() => edge.logged('request').find((line) => line['id'] === requestId))
    .toMatchObject({
      method: 'GET',
      path: '/plans',
      status: 200,
      outcome: 'completed',
      experiment: 'home-redesign',
      visitor: expect.stringMatching(/^[\da-f]{16}$/),
      ms: expect.any(Number),
      decisionMs: expect.any(Number),
      firstByteMs: expect.any(Number),
    });
  expect(JSON.stringify(edge.logged('request'))).not.toContain(id);
  const crawled = await get('/plans', { ...NAVIGATION, 'user-agent': 'GPTBot/1.2' });
  await expect
    .poll(() =>
      edge.logged('request').find((line) => line['id'] === crawled.headers['x-request-id']),
    )
    .toMatchObject({ bot: 'ai' });
});

async function secretsOf({ dataDir }: EdgeProcess): Promise<string> {
  const file: { cookieSecrets: string[] } = JSON.parse(
    await readFile(`${dataDir}/secrets.json`, 'utf8'),
  );
  return file.cookieSecrets.join(',');
}
