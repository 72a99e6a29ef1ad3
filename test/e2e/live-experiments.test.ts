import { join } from 'node:path';
import type { SnapshotStore } from '@turnout/router-core';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { createRedisSnapshotStore } from '@turnout/router-core/redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type Echo, type LightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';
import { createPublisher } from '../kit/publish.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';

const NAMES = ['one', 'two', 'three'] as const;

let upstreams: LightUpstreams;
beforeAll(async () => {
  upstreams = await startLightUpstreams(NAMES);
});
afterAll(() => upstreams.close());

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** Each revision has variants, a phase and places of its own: whatever is mixed shows. */
function place(revision: number, index: number): string | undefined {
  return NAMES[(revision + index) % NAMES.length];
}

function experiment(more: Readonly<Record<string, unknown>> = {}) {
  return {
    key: 'home',
    status: 'running',
    variants: [
      { key: 'control', upstream: 'one', weight: 0, control: true },
      { key: 'B', upstream: 'two', weight: 100 },
    ],
    ...more,
  };
}

async function start(
  seeds: readonly unknown[],
  env: Readonly<Record<string, string>> = {},
  dataDir?: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<EdgeProcess> {
  const edge = await startEdge({
    config: { upstreams: upstreams.config, default: 'one', experiments: seeds, ...more },
    env,
    ...(dataDir !== undefined && { dataDir }),
  });
  ending.push(() => edge.remove());
  await expect.poll(() => metric(edge, 'turnout_workers')).toBe(2);
  return edge;
}

function embedded(edge: EdgeProcess): SnapshotStore {
  const store = createEmbeddedSnapshotStore({ file: join(edge.dataDir, 'experiments.sqlite') });
  ending.push(() => store.close());
  return store;
}

async function metric(
  edge: EdgeProcess,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  return metricValue(await edge.metrics(), name, labels);
}

async function page(edge: EdgeProcess, cookie?: string): Promise<string> {
  const headers = cookie === undefined ? NAVIGATION : { ...NAVIGATION, cookie };
  const { status, text } = await send(`${edge.url}/`, headers);
  expect(status).toBe(200);
  return text;
}

/** Until every worker decides by it. */
async function reaches(edge: EdgeProcess, revision: number): Promise<void> {
  await expect.poll(() => metric(edge, 'turnout_snapshot_revision')).toBe(revision);
}

test('seeds count until something is published; then that, also after a restart', async () => {
  const edge = await start([experiment()]);
  expect(await page(edge)).toBe('two');
  const { publish } = createPublisher(embedded(edge));
  await publish([experiment({ variants: experiment().variants.toReversed(), status: 'killed' })]);
  await reaches(edge, 1);
  expect(await page(edge)).toBe('one');
  await edge.stop();
  const again = await start([experiment()], {}, edge.dataDir);
  expect(again.logged('serving')[0]).toMatchObject({ revision: 1 });
  expect(await page(again)).toBe('one');
});

test('an edge that begins without experiments takes them up, and lets them go', async () => {
  const edge = await start([]);
  expect(await page(edge)).toBe('one');
  const { publish } = createPublisher(embedded(edge));
  await publish([experiment()]);
  await reaches(edge, 1);
  expect(await page(edge)).toBe('two');
  expect(await metric(edge, 'turnout_change_effect_seconds_count')).toBe(2);
  expect(await metric(edge, 'turnout_change_effect_seconds_bucket', { le: '10' })).toBe(2);
  await publish([]);
  await reaches(edge, 2);
  expect(await page(edge)).toBe('one');
});

test('a plain reverse proxy follows nothing, and keeps nothing', async () => {
  const edge = await startEdge({ config: { upstreams: upstreams.config, default: 'one' } });
  ending.push(() => edge.remove());
  await createPublisher(embedded(edge)).publish([experiment()]);
  expect(edge.logged('serving')[0]).toMatchObject({ store: 'none', experiments: [] });
  expect(await page(edge)).toBe('one');
});

test('killed: all get control, those with a cookie too; back, all have what they had', async () => {
  const edge = await start([]);
  const { publish } = createPublisher(embedded(edge));
  await reaches(edge, 0);
  await publish([experiment()]);
  await reaches(edge, 1);
  const cookie = visitorCookie(await send(`${edge.url}/`)) ?? '';
  expect(cookie).toContain('.home:B:1.');
  await publish([experiment({ status: 'killed' })]);
  await reaches(edge, 2);
  for (let i = 0; i < 10; i++) expect(await page(edge, cookie)).toBe('one');
  expect(await page(edge)).toBe('one');
  await publish([experiment({ status: 'paused' })]);
  await reaches(edge, 3);
  expect(await page(edge, cookie)).toBe('two');
  expect(await page(edge)).toBe('one');
  await publish([experiment({ status: 'draft' })]);
  await reaches(edge, 4);
  expect(await page(edge, cookie)).toBe('one');
});

test('what can not be used holds up nothing else: no change, and no kill', async () => {
  const edge = await start([]);
  const store = embedded(edge);
  const { publish } = createPublisher(store);
  const { variants } = experiment();
  const at = (path: string, key: string) => experiment({ key, scope: { paths: [path] }, variants });
  await publish([at('/', 'home'), at('/b', 'brand'), at('/c', 'cart')]);
  await reaches(edge, 1);
  const upstreamOf = async (path: string) => (await send(`${edge.url}${path}`)).text;
  const unusable = (outcome: string) => metric(edge, 'turnout_experiments_unusable', { outcome });
  const told = () =>
    edge
      .logged('an experiment is not decided by as it is published')
      .map(({ experiment: key, outcome, problems }) => ({ key, outcome, problems }));

  const nowhere = [variants[0], { key: 'B', upstream: 'nine', weight: 100 }];
  await publish([
    { ...at('/', 'home'), scope: { paths: ['/a**'] } },
    { ...at('/b', 'brand'), scope: { paths: ['/b**'] }, status: 'killed' },
    { ...at('/c', 'cart'), status: 'killed' },
    { ...at('/d', 'draws'), variants: nowhere },
    { ...at('/e', 'exit'), variants: [{ key: 'c', upstream: 'nine', weight: 90 }] },
    at('/f', 'fresh'),
  ]);
  await reaches(edge, 2);
  const pages = ['/', '/b', '/c', '/d', '/e', '/f'];
  const served = await Promise.all(pages.map(upstreamOf));
  // As before; killed, both; control in the place of a variant; nothing, as it was never there; new.
  expect(served).toEqual(['two', 'one', 'one', 'one', 'one', 'two']);
  expect(await metric(edge, 'turnout_snapshots_refused_total')).toBe(0);
  await expect.poll(() => told().length).toBe(4);
  expect(told()).toEqual([
    {
      key: 'home',
      outcome: 'as-before',
      problems: ['scope.paths[0]: expected ** to be a whole segment, got "a**" in "/a**"'],
    },
    {
      key: 'brand',
      outcome: 'killed',
      problems: ['scope.paths[0]: expected ** to be a whole segment, got "b**" in "/b**"'],
    },
    {
      key: 'draws',
      outcome: 'fallback',
      problems: ['variants[1].upstream: no upstream "nine"; there are: one, two, three'],
    },
    {
      key: 'exit',
      outcome: 'left-out',
      problems: [
        'variants: weights must add up to 100, got 90 = 90',
        'variants: exactly one variant must have control: true, got 0',
        'variants[0].upstream: no upstream "nine"; there are: one, two, three',
      ],
    },
  ]);
  for (const outcome of ['as-before', 'killed', 'fallback', 'left-out']) {
    expect(await unusable(outcome)).toBe(1);
  }
  // Assigned is not served: the visitor keeps the variant for edges that have it.
  expect(visitorCookie(await send(`${edge.url}/d`))).toContain('.draws:B:1.');

  await store.publish('this is no JSON');
  await expect.poll(() => metric(edge, 'turnout_snapshots_refused_total')).toBe(1);
  await expect
    .poll(() => edge.logged('a snapshot of the experiments was refused: the last good one stays'))
    .toMatchObject([{ staysAt: 2, problems: [expect.stringMatching(/^expected JSON/)] }]);
  expect(await upstreamOf('/b')).toBe('one');
  await publish([experiment({ status: 'killed' })]);
  await reaches(edge, 3);
  expect(await page(edge)).toBe('one');
  expect(await unusable('as-before')).toBe(0);
});

test('nothing that is published ends the edge, nor keeps it from starting', async () => {
  const edge = await start([experiment()]);
  const store = embedded(edge);
  const nested = `${'{"not":'.repeat(5_000)}{"path":"/x"}${'}'.repeat(5_000)}`;
  const [deep] = [experiment({ audience: 'nested' })];
  const snapshot = { format: 1, revision: 1, publishedAt: Date.now(), experiments: [deep] };
  await store.publish(JSON.stringify(snapshot).replace('"nested"', nested));
  await expect.poll(() => metric(edge, 'turnout_snapshots_refused_total')).toBe(1);
  expect(await page(edge)).toBe('two');
  await edge.stop();
  const again = await start([experiment()], {}, edge.dataDir);
  expect(await page(again)).toBe('two');
  const others = createPublisher(embedded(again), 2);
  const audience = { not: { header: { name: '__proto__' } } };
  await others.publish([experiment({ audience })]);
  await reaches(again, 2);
  expect(await page(again)).toBe('two');
  expect(await metric(again, 'turnout_worker_restarts_total')).toBe(0);
});

test('what a visitor does by a script belongs to what their pages are assigned to', async () => {
  const api = { path: '/echo/**', upstream: 'three' };
  const edge = await start([], {}, undefined, { routes: [api] });
  const { publish } = createPublisher(embedded(edge));
  await publish([experiment()]);
  await reaches(edge, 1);
  const cookie = visitorCookie(await send(`${edge.url}/`)) ?? '';
  const told = async (): Promise<string | undefined> => {
    const { text } = await send(`${edge.url}/echo/sign-up`, { cookie });
    const { headers }: Echo = JSON.parse(text);
    return headers['x-turnout-assignments'];
  };
  expect(await told()).toBe('home=B');
  const ended = [
    experiment({ status: 'killed' }),
    experiment({ coverage: 0 }),
    experiment({ phase: 2 }),
    experiment({ key: 'another' }),
  ];
  for (const [index, now] of ended.entries()) {
    await publish([now]);
    await reaches(edge, index + 2);
    expect(await told()).toBeUndefined();
  }
  await publish([experiment({ status: 'paused' })]);
  await reaches(edge, ended.length + 2);
  expect(await told()).toBe('home=B');
});

test('a worker that takes the place of a dead one decides as the others do', async () => {
  const edge = await start([]);
  await createPublisher(embedded(edge)).publish([experiment()]);
  await reaches(edge, 1);
  await page(edge);
  await expect.poll(() => edge.logged('request').length).toBe(1);
  process.kill(Number(edge.logged('request')[0]?.['pid']), 'SIGKILL');
  await expect.poll(() => metric(edge, 'turnout_worker_restarts_total')).toBe(1);
  await expect.poll(() => metric(edge, 'turnout_workers')).toBe(2);
  await reaches(edge, 1);
  for (let i = 0; i < 4; i++) expect(await page(edge)).toBe('two');
});

describe.runIf(hasRedis())('with Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  test('a start without Redis goes by what is on disk, and follows when Redis is back', async () => {
    const store = createRedisSnapshotStore({ url: redis.url });
    ending.push(() => store.close());
    const { publish } = createPublisher(store);
    await expect.poll(() => publish([experiment()]).then(() => 'done', String)).toBe('done');
    const env = { TURNOUT_REDIS_URL: redis.url };
    const edge = await start([], env);
    const revision = await metric(edge, 'turnout_snapshot_revision');
    expect(revision).toBeGreaterThan(0);
    await edge.stop();
    await redis.kill();
    const cold = await start([], env, edge.dataDir);
    expect(cold.logged('serving')[0]).toMatchObject({ revision, experiments: ['home'] });
    expect(await page(cold)).toBe('two');
    await redis.restart();
    const next = () => publish([experiment({ status: 'killed' })]);
    let last = 0;
    await expect
      .poll(() =>
        next().then(
          (published) => (last = published) > 0,
          () => false,
        ),
      )
      .toBe(true);
    await reaches(cold, last);
    expect(await page(cold)).toBe('one');
  });

  test('50 changes under load: no request fails, and each is decided by one snapshot', async () => {
    const store = createRedisSnapshotStore({ url: redis.url });
    ending.push(() => store.close());
    const { publish } = createPublisher(store, 1_000);
    const change = (revision: number) =>
      publish([
        {
          key: 'home',
          status: 'running',
          phase: revision,
          variants: [
            { key: `v${revision}-0`, upstream: place(revision, 0), weight: 50, control: true },
            { key: `v${revision}-1`, upstream: place(revision, 1), weight: 50 },
          ],
        },
      ]);
    await expect.poll(() => change(1_000).then(() => 'done', String)).toBe('done');
    const edge = await start([], { TURNOUT_REDIS_URL: redis.url });
    await reaches(edge, 1_000);

    const seen = new Set<string>();
    let requests = 0;
    const load = { isOver: false };
    const visitor = async (number: number): Promise<void> => {
      let cookie: string | undefined;
      while (!load.isOver) {
        const answer = await send(`${edge.url}/echo`, { ...NAVIGATION, ...(cookie && { cookie }) });
        expect(answer.status).toBe(200);
        requests++;
        const { upstream, headers }: Echo = JSON.parse(answer.text);
        const assignment = headers['x-turnout-assignments'] ?? '';
        const [, variant = '', revision, index] = /^home=(v(\d+)-(\d))$/.exec(assignment) ?? [];
        expect(upstream).toBe(place(Number(revision), Number(index)));
        const set = visitorCookie(answer);
        expect(set ?? `.home:${variant}:${revision}.`).toContain(`.home:${variant}:${revision}.`);
        seen.add(revision ?? '');
        cookie = set ?? cookie;
        // Some come back, and some are new each time.
        if (number % 4 === 0) cookie = undefined;
      }
    };
    const visitors = Promise.all(Array.from({ length: 16 }, (_, number) => visitor(number)));
    for (let revision = 1_001; revision <= 1_050; revision++) {
      await change(revision);
      const before = requests;
      await expect.poll(() => requests - before, { interval: 5 }).toBeGreaterThan(20);
    }
    await reaches(edge, 1_050);
    load.isOver = true;
    await visitors;
    expect(seen.size).toBeGreaterThan(10);
    expect(await metric(edge, 'turnout_requests_total', { code: '5xx' })).toBe(0);
    expect(await metric(edge, 'turnout_snapshots_refused_total')).toBe(0);
    expect(edge.logged('a snapshot can not be used')).toEqual([]);
  });
});
