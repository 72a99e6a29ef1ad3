import { join } from 'node:path';
import type { Explanation } from '@turnout/contracts/explanation';
import { createVisitorCookie, signPreview, visitorId } from '@turnout/router-core';
import { createEmbeddedStore } from '@turnout/router-core/embedded';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type Echo, type LightUpstreams } from '../kit/light-upstreams.ts';

const SECRET = 'a-secret-of-this-test-alone';
const cookies = createVisitorCookie({ secrets: [SECRET], secure: false });
const DAY = 86_400_000;

let upstreams: LightUpstreams;
let edge: EdgeProcess;

const halves = (key: string, more: Readonly<Record<string, unknown>>) => ({
  key,
  status: 'running',
  variants: [
    { key: 'control', upstream: 'shop', weight: 50, control: true },
    { key: 'B', upstream: 'one', weight: 50 },
  ],
  ...more,
});

const EXPERIMENTS = [
  halves('killed', { status: 'killed', scope: { paths: ['/killed/**'] } }),
  halves('over', { status: 'concluded', winner: 'B', scope: { paths: ['/over/**'] } }),
  halves('paused', { status: 'paused', scope: { paths: ['/paused/**'] } }),
  halves('draft', { status: 'draft', scope: { paths: ['/draft/**'] } }),
  halves('half', { coverage: 5_000, scope: { paths: ['/half/**'] } }),
  halves('left', { layer: { name: 'site', slots: [0, 4_000] }, scope: { paths: ['/layer/**'] } }),
  halves('right', {
    layer: { name: 'site', slots: [4_000, 7_000] },
    scope: { paths: ['/layer/**'] },
  }),
  halves('home', {
    scope: { paths: ['/echo/**', '/'] },
    audience: { not: { cookie: { name: 'editor' } } },
    forced: [{ when: { query: { name: 'force' } }, variant: 'B' }],
  }),
];

beforeAll(async () => {
  upstreams = await startLightUpstreams(['shop', 'one', 'api']);
  edge = await startEdge({
    config: {
      upstreams: upstreams.config,
      default: 'shop',
      public: { port: 0, hosts: ['127.0.0.1', 'shop.example'] },
      routes: [{ path: '/api/**', upstream: 'api' }],
      experiments: EXPERIMENTS,
      ledgerWait: '5s',
    },
    env: { TURNOUT_COOKIE_SECRETS: SECRET },
  });
});
afterAll(async () => {
  await edge?.remove();
  await upstreams?.close();
});

async function post(body: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${edge.privateUrl}/v1/explain`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text() };
}

async function explain(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Explanation> {
  const { status, text } = await post(JSON.stringify({ url, headers }));
  expect([url, status]).toEqual([url, 200]);
  return JSON.parse(text);
}

const aCookie = (): string => cookies.serialise(cookies.mint(), []).split(';', 1)[0] ?? '';

describe('what is explained is what happens', () => {
  const paths = [
    '/',
    '/killed',
    '/over/x',
    '/paused',
    '/draft',
    '/half',
    '/layer',
    '/none',
    '/api/x',
    '/?force=1',
  ];
  test.each(paths)('%s, for visitors of all kinds', async (path) => {
    const strangers = Array.from({ length: 8 }, aCookie);
    for (const cookie of [...strangers, '', 'editor=1', 'turnout=forged']) {
      const told = await explain(path, { cookie });
      expect(told.steps.length).toBeGreaterThan(1);
      // Explained again: nothing was kept of the first time.
      expect((await explain(path, { cookie })).outcome).toEqual(told.outcome);
      const page = await send(`${edge.url}${path}`, { ...NAVIGATION, cookie });
      expect(told.outcome.upstream ?? page.text).toBe(page.text);
      const known = visitorCookie(page)?.split(';', 1)[0] ?? cookie;
      const after = await explain(path, { cookie: known });
      expect(after.outcome.upstream).toBe(page.text);
    }
  });

  test('one who has been here, by what the ledger holds, and by the cookie without it', async () => {
    const first = await send(`${edge.url}/echo`);
    const { upstream }: Echo = JSON.parse(first.text);
    const cookie = visitorCookie(first) ?? '';
    const told = await explain('/echo', { cookie });
    expect(told.outcome).toMatchObject({ upstream, experiment: 'home', counted: true });
    expect(told.steps.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['host', 'route', 'experiment', 'visitor', 'ledger']),
    );
    const [, id = '', mirror = ''] = cookie.split('.');
    const other = mirror.includes(':B:') ? 'control' : 'B';
    const turned = cookies.serialise(visitorId('AAECAwQFBgcICQoLDA0ODw'), [
      { experiment: 'home', variant: other, phase: 1 },
    ]);
    expect((await explain('/', { cookie: turned })).outcome).toMatchObject({
      variant: other,
      source: 'mirror',
    });
    expect(told.steps.find(({ step }) => step === 'visitor')?.detail).toContain(id);
  });

  test('a preview, a foreign name, an endpoint of ours, a script', async () => {
    const token = signPreview(
      { experiment: 'draft', variant: 'B', expires: 9_999_999_999, path: '/draft' },
      SECRET,
    );
    expect((await explain('/draft', { cookie: `turnout-preview=${token}` })).outcome).toEqual({
      upstream: 'one',
      experiment: 'draft',
      variant: 'B',
      source: 'preview',
      counted: false,
    });
    expect((await explain('https://evil.example/')).outcome).toEqual({
      status: 421,
      counted: false,
    });
    const named = await explain('https://SHOP.example:8443/plans?x=1');
    expect(named.request).toMatchObject({ host: 'shop.example', path: '/plans' });
    expect((await explain('/_turnout/v1/assignments')).outcome).toEqual({ counted: false });
    const script = await explain('/', { 'sec-fetch-mode': 'cors' });
    expect(script).toMatchObject({
      request: { kind: 'subresource' },
      outcome: { variant: 'control', source: 'cookieless', counted: false },
    });
  });
});

test.each([
  ['{', 400],
  ['[]', 422],
  ['{}', 422],
  ['{"url":"/","color":"red"}', 422],
  [JSON.stringify({ url: `/${'a'.repeat(200_000)}` }), 413],
])('a question that is none is refused with what was expected', async (body, status) => {
  const answer = await post(body);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({ status, detail: expect.any(String) });
});

test('what an operator sets or erases counts at the next request, in every worker', async () => {
  const first = await send(`${edge.url}/`);
  const cookie = visitorCookie(first) ?? '';
  const id = visitorId(cookie.split('.')[1] ?? '');
  const page = async () => (await send(`${edge.url}/`, { ...NAVIGATION, cookie })).text;
  // Both workers remember the visitor now.
  for (let i = 0; i < 6; i++) expect(await page()).toBe(first.text);
  const ledger = createEmbeddedStore({ file: join(edge.dataDir, 'ledger.sqlite'), ttl: 180 * DAY });
  try {
    const other =
      first.text === 'shop' ? { variant: 'B', page: 'one' } : { variant: 'control', page: 'shop' };
    await ledger.set(id, 'home', { variant: other.variant, phase: 1, revision: 1 });
    await expect
      .poll(async () => [await page(), await page(), await page(), await page()])
      .toEqual(Array.from({ length: 4 }, () => other.page));
    await expect.poll(async () => (await ledger.get(id)).size).toBe(1);
    expect(await ledger.forget(id)).toBe(1);
    // Forgotten everywhere: what the cookie repeats is all that is left.
    await expect
      .poll(async () => [await page(), await page(), await page(), await page()])
      .toEqual(Array.from({ length: 4 }, () => first.text));
  } finally {
    await ledger.close();
  }
});
