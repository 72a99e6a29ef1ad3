import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';

const SCRIPT = { 'sec-fetch-mode': 'cors', accept: '*/*' };

let upstreams: LightUpstreams;
beforeAll(async () => {
  upstreams = await startLightUpstreams(['shop', 'one', 'two']);
});
afterAll(() => upstreams.close());

function experiment(key: string, upstream: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    key,
    status: 'running',
    variants: [
      { key: 'control', upstream: 'shop', weight: 0, control: true },
      { key: 'B', upstream, weight: 100 },
    ],
    ...more,
  };
}

async function withEdge(
  experiments: readonly unknown[],
  work: (edge: EdgeProcess) => Promise<void>,
  more: Readonly<Record<string, { url: string }>> = {},
): Promise<void> {
  const edge = await startEdge({
    config: { upstreams: { ...upstreams.config, ...more }, default: 'shop', experiments },
    workers: 1,
  });
  try {
    await work(edge);
  } finally {
    await edge.remove();
  }
}

describe('experiments of one layer', () => {
  const layered = [
    experiment('first', 'one', { layer: { name: 'site', slots: [0, 3000] } }),
    experiment('second', 'two', { layer: { name: 'site', slots: [3000, 5000] } }),
  ];

  test('share no visitor, and nobody gets in by coming often', async () => {
    await withEdge(layered, async (edge) => {
      const pages = ['shop', 'one', 'two'];
      const counts = [0, 0, 0];
      for (let i = 0; i < 300; i++) {
        let cookie: string | undefined;
        const seen = new Set<string>();
        for (let view = 0; view < 4; view++) {
          const answer = await send(`${edge.url}/`, { ...NAVIGATION, ...(cookie && { cookie }) });
          cookie = visitorCookie(answer) ?? cookie;
          seen.add(answer.text);
          expect(answer.headers['cache-control']).toContain('private');
        }
        expect(seen.size).toBe(1);
        const [page = ''] = seen;
        const index = pages.indexOf(page);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      // 50 %, 30 %, 20 % of 300, each within five standard deviations.
      expect(Math.abs((counts[0] ?? 0) - 150)).toBeLessThan(44);
      expect(Math.abs((counts[1] ?? 0) - 90)).toBeLessThan(40);
      expect(Math.abs((counts[2] ?? 0) - 60)).toBeLessThan(35);
      const text = await edge.metrics();
      expect(metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'minted' })).toBe(300);
    });
  });

  test('are told apart by the assignments endpoint, too', async () => {
    await withEdge(layered, async (edge) => {
      for (let i = 0; i < 50; i++) {
        const answer = await send(`${edge.url}/_turnout/v1/assignments`, {});
        const { assignments }: { assignments: unknown[] } = JSON.parse(answer.text);
        expect(assignments.length).toBeLessThanOrEqual(1);
      }
    });
  });
});

test('somebody new is assigned by the endpoint in as many as the cookie repeats', async () => {
  const many = Array.from({ length: 40 }, (_, index) => experiment(`e${index}`, 'one'));
  await withEdge(many, async (edge) => {
    const answer = await send(`${edge.url}/_turnout/v1/assignments`, {});
    const { assignments }: { assignments: unknown[] } = JSON.parse(answer.text);
    expect(assignments).toHaveLength(16);
    const cookie = visitorCookie(answer) ?? '';
    const again = await send(`${edge.url}/_turnout/v1/assignments`, { cookie });
    expect(JSON.parse(again.text)).toMatchObject({ assignments: { length: 40 } });
  });
});

test('who is not in the audience is assigned nothing by the endpoint', async () => {
  const audience = { not: { cookie: { name: 'editor' } } };
  await withEdge([experiment('home', 'one', { audience })], async (edge) => {
    const answer = await send(`${edge.url}/_turnout/v1/assignments`, { cookie: 'editor=1' });
    expect(JSON.parse(answer.text)).toMatchObject({ assignments: [] });
    const page = await send(`${edge.url}/`, { ...NAVIGATION, cookie: 'editor=1' });
    expect(page.text).toBe('shop');
    expect(page.headers['cache-control']).toContain('private');
  });
});

test.each([
  ['killed', 'shop'],
  ['concluded', 'one'],
])('of a %s experiment all get the same, and nobody is made a visitor', async (status, page) => {
  await withEdge([experiment('home', 'one', { status, winner: 'B' })], async (edge) => {
    for (const headers of [NAVIGATION, SCRIPT]) {
      const answer = await send(`${edge.url}/`, headers);
      expect(answer.text).toBe(page);
      expect(visitorCookie(answer)).toBeUndefined();
    }
    const text = await edge.metrics();
    expect(metricValue(text, 'turnout_unique_visitors')).toBe(0);
    expect(metricValue(text, 'turnout_requests_total', { variant: 'control' })).toBe(0);
    expect(metricValue(text, 'turnout_requests_total', { variant: 'B' })).toBe(0);
    expect(metricValue(text, 'turnout_requests_total', { experiment: 'home' })).toBe(2);
  });
});

test('the holdout gets control, is a visitor, and belongs to no variant', async () => {
  await withEdge([experiment('home', 'one', { coverage: 0 })], async (edge) => {
    const answer = await send(`${edge.url}/`);
    expect(answer.text).toBe('shop');
    expect(visitorCookie(answer)).toMatch(/^turnout=1\.[\w-]{22}\.\.[\w-]{22}$/);
    const upstream = upstreams.lastHeaders.get('shop');
    expect(upstream?.['x-turnout-visitor']).toBe(visitorCookie(answer)?.split('.')[1]);
    expect(upstream?.['x-turnout-assignments']).toBeUndefined();
    const text = await edge.metrics();
    expect(metricValue(text, 'turnout_unique_visitors')).toBe(0);
    expect(metricValue(text, 'turnout_assignments_total', { source: 'holdout' })).toBe(1);
  });
});

test('a variant that is down counts nobody, and loses nobody', async () => {
  // A port that was free a moment ago: nothing listens there.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  probe.close();
  const down = { down: { url: `http://127.0.0.1:${port}` } };
  await withEdge(
    [experiment('home', 'down')],
    async (edge) => {
      const first = await send(`${edge.url}/`);
      expect(first.status).toBe(503);
      expect(first.headers['retry-after']).toBe('5');
      expect(first.text).toContain(String(first.headers['x-request-id']));
      const cookie = visitorCookie(first);
      expect(cookie).toContain('.home:B:1.');
      const again = await send(`${edge.url}/`, { ...NAVIGATION, cookie: cookie ?? '' });
      expect(again.status).toBe(503);
      expect(visitorCookie(again)).toBeUndefined();
      const text = await edge.metrics();
      expect(metricValue(text, 'turnout_unique_visitors')).toBe(0);
      expect(metricValue(text, 'turnout_upstream_errors_total', { upstream: 'down' })).toBe(2);
      expect(metricValue(text, 'turnout_requests_total', { variant: 'B', code: '5xx' })).toBe(2);
    },
    down,
  );
});
