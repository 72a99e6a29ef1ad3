import { signPreview } from '@turnout/router-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type Echo, type LightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';

const SECRET = 'a-secret-of-this-test-alone';
const HOUR = 3_600;

let upstreams: LightUpstreams;
const edges: EdgeProcess[] = [];
beforeAll(async () => {
  upstreams = await startLightUpstreams(['shop', 'one', 'api']);
});
afterEach(async () => {
  await Promise.all(edges.splice(0).map((edge) => edge.remove()));
});
afterAll(() => upstreams.close());

const VARIANTS = [
  { key: 'control', upstream: 'shop', weight: 100, control: true },
  { key: 'B', upstream: 'one', weight: 0 },
];

function experiment(more: Readonly<Record<string, unknown>> = {}) {
  return { key: 'home', status: 'running', variants: VARIANTS, ...more };
}

async function start(
  experiments: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<EdgeProcess> {
  const edge = await startEdge({
    config: {
      upstreams: upstreams.config,
      default: 'shop',
      routes: [{ path: '/api/**', upstream: 'api' }],
      experiments,
      ...more,
    },
    env: { TURNOUT_COOKIE_SECRETS: SECRET },
    workers: 1,
  });
  edges.push(edge);
  return edge;
}

function token(more: { variant?: string; path?: string; seconds?: number } = {}): string {
  const { variant = 'B', path = '/plans?x=1', seconds = HOUR } = more;
  const expires = Math.floor(Date.now() / 1_000) + seconds;
  return signPreview({ experiment: 'home', variant, expires, path }, SECRET);
}

/** What is counted of visitors and variants, all together. */
async function counted(edge: EdgeProcess): Promise<number> {
  const text = await edge.metrics();
  return (
    metricValue(text, 'turnout_unique_visitors') +
    metricValue(text, 'turnout_assignments_total') +
    metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'minted' }) +
    metricValue(text, 'turnout_requests_total', { variant: 'control' }) +
    metricValue(text, 'turnout_requests_total', { variant: 'B' })
  );
}

describe('a preview link', () => {
  test('opens its page with the variant, which stays until it is ended, and counts nowhere', async () => {
    const edge = await start([experiment()]);
    const opened = await send(`${edge.url}/_turnout/preview?token=${token()}`);
    expect([opened.status, opened.headers['location']]).toEqual([303, '/plans?x=1']);
    expect(opened.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    const [set = ''] = [opened.headers['set-cookie'] ?? []].flat();
    expect(set).toMatch(
      /^turnout-preview=p1\.\S+; Max-Age=3\d\d\d; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const cookie = set.split(';', 1)[0] ?? '';
    for (const path of ['/plans?x=1', '/', '/app.js']) {
      const page = await send(`${edge.url}${path}`, { ...NAVIGATION, cookie });
      expect([page.status, page.text, visitorCookie(page)]).toEqual([200, 'one', undefined]);
      expect(page.headers['cache-control']).toContain('private');
      expect(page.headers).toMatchObject({
        'x-turnout-preview': expect.stringMatching(
          /^home=B; until=20\S+Z; end=\/_turnout\/preview\?off$/,
        ),
        'x-turnout-experiment': 'home',
        'x-turnout-variant': 'B',
        'x-turnout-source': 'preview',
        'x-turnout-revision': '0',
        'x-turnout-upstream': 'one',
      });
    }
    const asked = await send(`${edge.url}/_turnout/v1/assignments`, { cookie });
    expect(JSON.parse(asked.text)).toMatchObject({
      visitor: null,
      assignments: [],
      preview: { experiment: 'home', variant: 'B' },
    });
    expect(await counted(edge)).toBe(0);
    const ended = await send(`${edge.url}/_turnout/preview?off`, { cookie });
    expect([ended.status, ended.headers['location']]).toEqual([303, '/']);
    expect(ended.headers['set-cookie']).toContain('turnout-preview=; Max-Age=0;');
  });

  test('shows drafts, and what was killed; its upstream is told of no visitor', async () => {
    for (const status of ['draft', 'killed', 'paused']) {
      const edge = await start([experiment({ status })]);
      const visitor = visitorCookie(await send(`${edge.url}/_turnout/v1/assignments`)) ?? '';
      const cookie = `${visitor}; turnout-preview=${token()}`;
      const page = await send(`${edge.url}/echo`, { ...NAVIGATION, cookie });
      const { upstream, headers }: Echo = JSON.parse(page.text);
      expect([status, upstream]).toEqual([status, 'one']);
      expect(Object.keys(headers).filter((name) => name.startsWith('x-turnout-'))).toEqual([]);
      const api = await send(`${edge.url}/api/x`, { cookie });
      expect(api.headers).toMatchObject({ 'x-turnout-upstream': 'api' });
      expect(Object.keys(upstreams.lastHeaders.get('api') ?? {})).not.toContain(
        'x-turnout-visitor',
      );
    }
  });

  test('elsewhere its holder is nobody: no cookie, no count, and told how it was decided', async () => {
    const edge = await start([
      experiment({ scope: { paths: ['/plans/**'] } }),
      experiment({ key: 'rest' }),
    ]);
    const visitor = visitorCookie(await send(`${edge.url}/_turnout/v1/assignments`)) ?? '';
    for (const cookie of [`turnout-preview=${token()}`, `turnout-preview=${token()}; ${visitor}`]) {
      const page = await send(`${edge.url}/echo`, { ...NAVIGATION, cookie });
      const { upstream, headers }: Echo = JSON.parse(page.text);
      expect([upstream, visitorCookie(page)]).toEqual(['shop', undefined]);
      expect(Object.keys(headers).filter((name) => name.startsWith('x-turnout-'))).toEqual([]);
      expect(page.headers).toMatchObject({
        'x-turnout-experiment': 'rest',
        'x-turnout-source': 'cookieless',
      });
    }
    expect(await counted(edge)).toBe(0);
  });

  test('no shared cache keeps what its holder is told', async () => {
    const edge = await start([experiment({ scope: { paths: ['/plans/**'] } })]);
    const cookie = `turnout-preview=${token()}`;
    for (const path of ['/api/x', '/elsewhere']) {
      const page = await send(`${edge.url}${path}`, { ...NAVIGATION, cookie });
      expect(page.headers['x-turnout-preview']).toBeDefined();
      expect(page.headers['cache-control']).toContain('private');
    }
  });

  test('that is over, forged or of another site is refused; its cookie means nothing', async () => {
    const edge = await start([experiment()]);
    const other = signPreview(
      { experiment: 'home', variant: 'B', expires: 9_999_999_999, path: '/' },
      'a-secret-of-somebody-else',
    );
    for (const bad of [token({ seconds: -1 }), `${token()}x`, other, '', 'x'.repeat(5_000)]) {
      const opened = await send(`${edge.url}/_turnout/preview?token=${bad}`);
      expect(opened.status).toBe(403);
      expect(opened.headers['set-cookie']).toBeUndefined();
      const page = await send(`${edge.url}/`, { ...NAVIGATION, cookie: `turnout-preview=${bad}` });
      expect([page.text, page.headers['x-turnout-preview']]).toEqual(['shop', undefined]);
    }
    const named = await send(`${edge.url}/`, {
      ...NAVIGATION,
      'x-turnout-preview': 'home=B',
    });
    expect(named.text).toBe('shop');
  });

  test('of a variant that is no more shows what everybody gets', async () => {
    const edge = await start([experiment()]);
    const cookie = `turnout-preview=${token({ variant: 'gone' })}`;
    const page = await send(`${edge.url}/`, { ...NAVIGATION, cookie });
    expect([page.text, page.headers['x-turnout-source']]).toEqual(['shop', 'cookieless']);
  });
});

test('nobody else is told how a request was decided', async () => {
  const edge = await start([experiment()]);
  const page = await send(`${edge.url}/`);
  expect(Object.keys(page.headers).filter((name) => name.startsWith('x-turnout-'))).toEqual([]);
});

describe('with consent asked for', () => {
  const consent = { cookie: 'consent', value: { glob: '*statistics*' } };
  const all = [
    { key: 'control', upstream: 'shop', weight: 0, control: true },
    { key: 'B', upstream: 'one', weight: 100 },
  ];

  test('visitors get control, no cookie and no count until they agree', async () => {
    const edge = await start([experiment({ variants: all })], { consent });
    for (const cookie of ['', 'consent=none', 'other=statistics']) {
      const page = await send(`${edge.url}/`, { ...NAVIGATION, cookie });
      expect([page.text, page.headers['set-cookie']]).toEqual(['shop', undefined]);
      const asked = await send(`${edge.url}/_turnout/v1/assignments`, { cookie });
      expect(asked.headers['set-cookie']).toBeUndefined();
      expect(JSON.parse(asked.text)).toEqual({ visitor: null, assignments: [] });
    }
    expect(await counted(edge)).toBe(0);
    const agreed = await send(`${edge.url}/`, { ...NAVIGATION, cookie: 'consent=statistics' });
    expect(agreed.text).toBe('one');
    const cookie = visitorCookie(agreed) ?? '';
    expect(cookie).toContain('.home:B:1.');
    expect(await counted(edge)).toBeGreaterThan(0);

    // Taken back: what was set means nothing any more, and nobody is told who they are.
    const before = await counted(edge);
    const page = await send(`${edge.url}/`, { ...NAVIGATION, cookie });
    expect(page.text).toBe('shop');
    await send(`${edge.url}/api/x`, { cookie });
    expect(Object.keys(upstreams.lastHeaders.get('api') ?? {})).not.toContain('x-turnout-visitor');
    expect(await counted(edge)).toBe(before);
    const back = await send(`${edge.url}/`, {
      ...NAVIGATION,
      cookie: `${cookie}; consent=statistics,ads`,
    });
    expect(back.text).toBe('one');
  });

  test('a concluded experiment gives its winner to all: that is the site now', async () => {
    const edge = await start([experiment({ status: 'concluded', winner: 'B' })], { consent });
    expect((await send(`${edge.url}/`)).text).toBe('one');
  });
});

test('what a rule about visitors decides is kept by no shared cache, whoever asks', async () => {
  const beta = { cookie: { name: 'beta' } };
  const edge = await start([experiment({ scope: { paths: ['/plans'], when: beta } })], {
    routes: [{ path: '/routed', when: beta, upstream: 'api' }],
  });
  const kept = async (path: string, cookie: string): Promise<boolean> => {
    const { headers } = await send(`${edge.url}${path}`, { ...NAVIGATION, cookie });
    return !String(headers['cache-control'] ?? '').includes('private');
  };
  for (const cookie of ['beta=1', '']) {
    expect([await kept('/plans', cookie), await kept('/routed', cookie)]).toEqual([false, false]);
    expect(await kept('/', cookie)).toBe(true);
  }
});
