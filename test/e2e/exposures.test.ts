import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Confirmation, Exposure, TrackingEvent } from '@turnout/contracts/event';
import { signPreview } from '@turnout/router-core';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { createRedisSnapshotStore } from '@turnout/router-core/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { readLoggedEvents, type LoggedEvents } from '../kit/logged-events.ts';
import { metricValue } from '../kit/metrics.ts';
import { createPublisher } from '../kit/publish.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';
import { until } from '../kit/until.ts';

/** Exposures and confirmations as they arrive in the event log, from two workers. */

const SECRET = 'a-secret-of-this-test-alone';
const PAGES: Readonly<Record<string, string>> = { control: 'shop', A: 'one' };
const VARIANTS = [
  { key: 'control', upstream: 'shop', weight: 50, control: true },
  { key: 'A', upstream: 'one', weight: 50 },
];

function experiment(key: string, more: Readonly<Record<string, unknown>> = {}) {
  const scope = { paths: [`/${key}/**`] };
  return { key, status: 'running', scope, variants: VARIANTS, ...more };
}

const EXPERIMENTS = [
  experiment('home', { scope: { paths: ['/'] }, phase: 2, revision: 5 }),
  experiment('killed', { status: 'killed' }),
  experiment('concluded', { status: 'concluded', winner: 'A' }),
  experiment('paused', { status: 'paused' }),
  experiment('holdout', { coverage: 0 }),
  experiment('forced', {
    forced: [{ when: { header: { name: 'X-Tester', value: 'anna' } }, variant: 'A' }],
  }),
  experiment('broken', { variants: VARIANTS.map((variant) => ({ ...variant, upstream: 'gone' })) }),
];

const engines = [
  { engine: 'embedded', isPossible: true },
  { engine: 'Redis', isPossible: hasRedis() },
];

let upstreams: LightUpstreams;
beforeAll(async () => {
  upstreams = await startLightUpstreams(['shop', 'one']);
});
afterAll(() => upstreams.close());

for (const { engine, isPossible } of engines) {
  describe.runIf(isPossible)(`into the ${engine} event log`, () => {
    let redis: RedisServer | undefined;
    let edge: EdgeProcess;
    let events: LoggedEvents;
    beforeAll(async () => {
      redis = engine === 'Redis' ? await startRedis() : undefined;
      edge = await startEdge({
        config: {
          node: 'edge-under-test',
          upstreams: { ...upstreams.config, gone: { url: 'http://127.0.0.1:1' } },
          default: 'shop',
          routes: [{ path: '/api/**', upstream: 'shop' }],
          experiments: EXPERIMENTS,
          ledgerWait: '5s',
          ...(redis !== undefined && { redis: redis.url }),
        },
        env: { TURNOUT_COOKIE_SECRETS: SECRET },
      });
      await publishAhead(edge, redis);
      events = readLoggedEvents(redis === undefined ? edge : { redis: redis.url });
    });
    afterAll(async () => {
      await events?.close();
      await edge?.remove();
      await redis?.stop();
    });

    /** Opens a page; tells whose it is by its cookie. */
    async function open(
      path: string,
      cookie?: string,
      more: Readonly<Record<string, string>> = {},
    ) {
      const headers = { ...NAVIGATION, ...(cookie !== undefined && { cookie }), ...more };
      const page = await send(`${edge.url}${path}`, headers);
      return { page, cookie: visitorCookie(page) ?? cookie ?? '' };
    }

    test('goes one exposure for each visitor, and one confirmation for each who comes back', async () => {
      const requestIds = new Map<string, string[]>();
      const served = new Map<string, string>();
      const returning = new Set<string>();
      await Promise.all(
        Array.from({ length: 40 }, async (_, number) => {
          const agent = number % 2 === 0 ? 'Mozilla/5.0 Firefox/140.0' : 'Googlebot/2.1';
          let { page, cookie } = await open('/', undefined, { 'user-agent': agent });
          const id = cookie.split('.')[1] ?? '';
          served.set(id, page.text);
          const ids = [String(page.headers['x-request-id'])];
          if (number % 4 !== 0) {
            returning.add(id);
            for (let visit = 0; visit < 3; visit += 1) {
              ({ page, cookie } = await open('/', cookie, { 'user-agent': agent }));
              ids.push(String(page.headers['x-request-id']));
            }
          }
          requestIds.set(id, ids);
        }),
      );
      const taken = await events.take();
      const exposures = taken.filter(isExposure);
      const firsts = new Map(exposures.map((event) => [event.visitor, event]));
      expect([...firsts.keys()].toSorted()).toEqual([...served.keys()].toSorted());
      // Each worker tells of a visitor once.
      expect(exposures.length).toBeLessThanOrEqual(2 * served.size);
      for (const exposure of exposures) {
        expect(exposure).toMatchObject({
          experiment: 'home',
          phase: 2,
          revision: 5,
          served: exposure.assigned,
          edge: 'edge-under-test',
        });
        expect(PAGES[exposure.served]).toBe(served.get(exposure.visitor));
        expect(requestIds.get(exposure.visitor)).toContain(exposure.requestId);
        expect(Math.abs(Date.now() - exposure.at)).toBeLessThan(60_000);
      }
      expect(new Set(exposures.map(({ bot }) => bot))).toEqual(new Set(['none', 'search']));
      expect(new Set(taken.map(({ eventId }) => eventId)).size).toBe(taken.length);
      const confirmations = taken.filter(isConfirmation);
      expect(new Set(confirmations.map(({ visitor }) => visitor))).toEqual(returning);
      expect(confirmations.length).toBeLessThanOrEqual(2 * returning.size);
      expect(confirmations[0]).toMatchObject({ experiment: 'home', phase: 2 });
      const text = await edge.metrics();
      expect(metricValue(text, 'turnout_exposures_total', { experiment: 'home' })).toBe(
        exposures.length,
      );
      expect(
        metricValue(text, 'turnout_events_total', { kind: 'confirmation', outcome: 'taken' }),
      ).toBe(confirmations.length);
      expect(metricValue(text, 'turnout_event_log_lag')).toBe(0);
      expect(text).toContain('turnout_spool_bytes 0');
    });

    test('a cookie that comes back by any later request confirms its visitor', async () => {
      const paths = ['/elsewhere', '/api/plans', '/_turnout/v1/assignments', '/style.css'];
      const cookies = await Promise.all(paths.map(async () => (await open('/')).cookie));
      await events.take();
      await Promise.all(
        paths.map((path, index) =>
          send(`${edge.url}${path}`, {
            cookie: cookies[index] ?? '',
            'sec-fetch-mode': 'no-cors',
          }),
        ),
      );
      const taken = await events.take();
      expect(taken.map(({ kind }) => kind)).toEqual(paths.map(() => 'confirmation'));
      const visitors = cookies.map((cookie) => cookie.split('.')[1] ?? '');
      expect(taken.map(({ visitor }) => visitor).toSorted()).toEqual(visitors.toSorted());
    });

    test('goes nothing for what shows nobody a page of the experiment', async () => {
      const { cookie } = await open('/');
      const expires = Math.floor(Date.now() / 1_000) + 60;
      const preview = signPreview({ experiment: 'home', variant: 'A', expires, path: '/' }, SECRET);
      const headers = { ...NAVIGATION };
      // A visitor who is known and whom neither worker has exposed: in a new phase, say.
      await events.take();
      await Promise.all([
        send(`${edge.url}/`, { ...headers, 'sec-purpose': 'prefetch' }),
        send(`${edge.url}/`, headers, 'HEAD'),
        send(`${edge.url}/`, { 'user-agent': 'ELB-HealthChecker/2.0', accept: '*/*' }),
        send(`${edge.url}/`, { 'sec-fetch-mode': 'no-cors' }),
        send(`${edge.url}/`, { ...headers, cookie: `turnout-preview=${preview}` }),
        send(`${edge.url}/`, { ...headers, cookie: `${cookie}; turnout-preview=${preview}` }),
        ...['killed', 'concluded', 'paused', 'holdout', 'broken', 'elsewhere'].map((key) =>
          send(`${edge.url}/${key}/`, headers),
        ),
        send(`${edge.url}/forced/`, { ...headers, 'x-tester': 'anna' }),
        send(`${edge.url}/api/plans`, headers),
      ]);
      expect((await events.take()).map(({ kind }) => kind)).toEqual([]);
      // The same by whoever has a cookie: their return is all that there is to tell.
      for (const [path, more, method] of [
        ['/forced/', { 'sec-purpose': 'prefetch' }, 'GET'],
        ['/forced/', {}, 'HEAD'],
        ['/forced/', { 'sec-fetch-mode': 'cors' }, 'GET'],
        ['/broken/', {}, 'GET'],
      ] as const) {
        await send(`${edge.url}${path}`, { ...headers, cookie, ...more }, method);
      }
      expect((await events.take()).filter(isExposure)).toEqual([]);
      // A form that is sent is a navigation.
      await send(`${edge.url}/forced/`, { ...headers, cookie }, 'POST');
      expect((await events.take()).filter(isExposure)).toMatchObject([{ experiment: 'forced' }]);
    });

    test('goes what the last requests told, when the edge is drained', async () => {
      const { cookie } = await open('/');
      expect(await edge.stop()).toBe(0);
      const visitor = cookie.split('.')[1];
      expect((await events.take()).map((event) => [event.kind, event.visitor])).toEqual([
        ['exposure', visitor],
      ]);
    });
  });
}

test('a plain reverse proxy has no event log', async () => {
  const edge = await startEdge({ config: { upstreams: upstreams.config, default: 'shop' } });
  try {
    await send(`${edge.url}/`);
    const report = await send(`${edge.url}/_turnout/v1/events`, {}, 'POST', '{}');
    expect([report.status, JSON.parse(report.text).status]).toEqual([404, 404]);
    expect(await edge.metrics()).not.toMatch(/turnout_(event_log_lag|spool_bytes)/);
    for (const name of ['events.sqlite', 'spool']) {
      expect([name, existsSync(join(edge.dataDir, name))]).toEqual([name, false]);
    }
  } finally {
    await edge.remove();
  }
});

/** The snapshot's revision is another than that of each experiment, as it soon is for all who use it. */
async function publishAhead(edge: EdgeProcess, redis: RedisServer | undefined): Promise<void> {
  const store =
    redis === undefined
      ? createEmbeddedSnapshotStore({ file: join(edge.dataDir, 'experiments.sqlite') })
      : createRedisSnapshotStore({ url: redis.url });
  // A store that is not reached yet refuses, rather than keep somebody waiting.
  await until(
    'a store that is there',
    () =>
      store.latest().then(
        () => true,
        () => false,
      ),
    (isThere) => isThere,
  );
  await createPublisher(store, 900).publish(EXPERIMENTS);
  await store.close();
  await until(
    'the snapshot in force',
    async () => metricValue(await edge.metrics(), 'turnout_snapshot_revision'),
    (revision) => revision === 900,
  );
}

function isExposure(event: TrackingEvent): event is Exposure {
  return event.kind === 'exposure';
}

function isConfirmation(event: TrackingEvent): event is Confirmation {
  return event.kind === 'confirmation';
}
