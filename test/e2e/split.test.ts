import { createVisitorCookie, type VisitorId } from '@turnout/router-core';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';
import { createCrowd, newVisitors, splitProbability, type TestVisitor } from '../kit/visitors.ts';

const SECRET = 'a-secret-of-this-test-alone';
const cookies = createVisitorCookie({ secrets: [SECRET], secure: false });
const UPSTREAMS = ['wordpress', 'next', 'vue'] as const;
const PLANNED = { control: 50, A: 20, B: 30 };
// So far from the plan that the hash alone would move most visitors.
const CHANGED = { control: 5, A: 60, B: 35 };

let upstreams: LightUpstreams;
beforeAll(async () => {
  upstreams = await startLightUpstreams(UPSTREAMS);
});
afterAll(() => upstreams.close());

function config(weights: typeof PLANNED) {
  return {
    upstreams: upstreams.config,
    default: 'wordpress',
    // What is under test is what the ledger says, not how fast a busy machine lets it speak.
    ledgerWait: '5s',
    experiments: [
      {
        key: 'home-redesign',
        status: 'running',
        scope: { paths: ['/'] },
        variants: [
          { key: 'control', upstream: 'wordpress', weight: weights.control, control: true },
          { key: 'A', upstream: 'next', weight: weights.A },
          { key: 'B', upstream: 'vue', weight: weights.B },
        ],
      },
    ],
  };
}

function startShop(
  weights: typeof PLANNED,
  dataDir?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<EdgeProcess> {
  return startEdge({
    config: config(weights),
    env: { TURNOUT_COOKIE_SECRETS: SECRET, ...env },
    ...(dataDir !== undefined && { dataDir }),
  });
}

async function withCrowd(
  edge: EdgeProcess,
  work: (crowd: ReturnType<typeof createCrowd>) => Promise<void>,
) {
  const crowd = createCrowd(edge.url);
  try {
    await work(crowd);
  } finally {
    await crowd.close();
  }
}

/** Each visitor opens the page; how many were served by another variant than before. */
async function countMoved(edge: EdgeProcess, visitors: readonly TestVisitor[]): Promise<number> {
  let moved = 0;
  await withCrowd(edge, (crowd) =>
    crowd.each(visitors, async (visitor) => {
      const before = visitor.served;
      if ((await crowd.visit(visitor)) !== before) moved++;
    }),
  );
  return moved;
}

function countServed(visitors: readonly TestVisitor[]): [number, number, number] {
  const count = (name: string) => visitors.filter(({ served }) => served === name).length;
  return [count('wordpress'), count('next'), count('vue')];
}

/** Answered well, by the metrics. */
function requestsOf(text: string, upstream: string, variant: string): number {
  const labels = { upstream, experiment: 'home-redesign', variant, code: '2xx' };
  return metricValue(text, 'turnout_requests_total', labels);
}

/** The visitor's cookie as if no assignment had ever been mirrored in it. */
function withoutMirror(visitor: TestVisitor): TestVisitor {
  const reading = cookies.read(visitor.cookie);
  if (reading.status !== 'valid') throw new Error(`Expected a valid cookie, got ${visitor.cookie}`);
  const cookie = cookies.serialise(reading.id, []).split(';', 1)[0];
  return { cookie, served: visitor.served };
}

function idOf(visitor: TestVisitor): VisitorId {
  const reading = cookies.read(visitor.cookie);
  if (reading.status !== 'valid') throw new Error(`Expected a valid cookie, got ${visitor.cookie}`);
  return reading.id;
}

describe.runIf(hasRedis())('20,000 visitors, ledger in Redis', () => {
  const visitors = newVisitors(20_000);
  let redis: RedisServer;
  let edge: EdgeProcess;
  const start = (weights: typeof PLANNED, dataDir?: string) =>
    startShop(weights, dataDir, { TURNOUT_REDIS_URL: redis.url });

  beforeAll(async () => {
    redis = await startRedis();
    edge = await start(PLANNED);
  });
  afterAll(async () => {
    await edge.remove();
    await redis.stop();
  });

  test('split 50/20/30', async () => {
    await withCrowd(edge, (crowd) =>
      crowd.each(visitors, async (visitor) => void (await crowd.visit(visitor))),
    );
    expect(splitProbability(countServed(visitors), [0.5, 0.2, 0.3])).toBeGreaterThan(1e-4);
    expect(new Set(visitors.map(idOf)).size).toBe(20_000);
  });

  test('each keeps the variant over ten requests, answered by both workers', async () => {
    for (let request = 1; request < 10; request++) expect(await countMoved(edge, visitors)).toBe(0);
    const workers = new Set(edge.logged('request').map((line) => line['pid']));
    expect(workers.size).toBe(2);
  });

  test('/metrics shows exactly what was sent', async () => {
    const [control, a, b] = countServed(visitors);
    await expect
      .poll(async () => {
        const text = await edge.metrics();
        return [
          requestsOf(text, 'wordpress', 'control'),
          requestsOf(text, 'next', 'A'),
          requestsOf(text, 'vue', 'B'),
        ];
      })
      .toEqual([control * 10, a * 10, b * 10]);
    const text = await edge.metrics();
    expect(metricValue(text, 'turnout_requests_total')).toBe(200_000);
    expect(metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'minted' })).toBe(20_000);
    expect(metricValue(text, 'turnout_assignments_total', { source: 'hash' })).toBe(20_000);
    expect(metricValue(text, 'turnout_request_duration_seconds_count')).toBe(200_000);
    expect(metricValue(text, 'turnout_requests_in_flight')).toBe(0);
    expect(metricValue(text, 'turnout_response_body_bytes_total', { variant: 'control' })).toBe(
      control * 10 * 'wordpress'.length,
    );
    // HyperLogLog: a standard error of 0.81 %.
    const unique = metricValue(text, 'turnout_unique_visitors', { variant: 'control' });
    expect(Math.abs(unique - control) / control).toBeLessThan(0.04);
  });

  test('each assignment is in the ledger, under its key', async () => {
    const client = new Redis(redis.url);
    try {
      const keys = await client.dbsize();
      expect(keys).toBeGreaterThanOrEqual(20_000);
      for (const visitor of visitors.slice(0, 100)) {
        const entry = await client.hgetall(`abtest:{${idOf(visitor)}}`);
        const variant = { wordpress: 'control', next: 'A', vue: 'B' }[visitor.served];
        expect(entry).toEqual({ 'home-redesign': `${variant}:1:1` });
      }
    } finally {
      client.disconnect();
    }
  });

  test('an edge restart with other weights moves nobody', async () => {
    expect(await edge.stop()).toBe(0);
    edge = await start(CHANGED, edge.dataDir);
    expect(await countMoved(edge, visitors)).toBe(0);
  });

  test('stripped of the mirror, the ledger keeps each in place', async () => {
    await edge.stop();
    edge = await start(CHANGED, edge.dataDir);
    expect(await countMoved(edge, visitors.map(withoutMirror))).toBe(0);
    expect(
      metricValue(await edge.metrics(), 'turnout_assignments_total', { source: 'store' }),
    ).toBe(20_000);
  });

  test('with Redis emptied, the cookie keeps each in place, and fills Redis again', async () => {
    await edge.stop();
    const client = new Redis(redis.url);
    try {
      await client.flushall();
      edge = await start(CHANGED, edge.dataDir);
      expect(await countMoved(edge, visitors)).toBe(0);
      expect(
        metricValue(await edge.metrics(), 'turnout_assignments_total', { source: 'mirror' }),
      ).toBe(20_000);
      await expect.poll(() => client.dbsize()).toBeGreaterThanOrEqual(20_000);
    } finally {
      client.disconnect();
    }
  });

  test('without mirror and ledger only the hash is left, and the new weights hold', async () => {
    await edge.stop();
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    edge = await start(CHANGED, edge.dataDir);
    // The check on the checks above: each would have failed had it not been for what it tests.
    expect(await countMoved(edge, visitors.map(withoutMirror))).toBeGreaterThan(8_000);
  });
});

describe('2,000 visitors, embedded ledger', () => {
  const visitors = newVisitors(2_000);
  let edge: EdgeProcess;

  beforeAll(async () => {
    edge = await startShop(PLANNED);
  });
  afterAll(() => edge.remove());

  test('split 50/20/30, counted exactly', async () => {
    await withCrowd(edge, (crowd) =>
      crowd.each(visitors, async (visitor) => void (await crowd.visit(visitor))),
    );
    const served = countServed(visitors);
    expect(splitProbability(served, [0.5, 0.2, 0.3])).toBeGreaterThan(1e-4);
    const text = await edge.metrics();
    const unique = ['control', 'A', 'B'].map((variant) =>
      metricValue(text, 'turnout_unique_visitors', { variant }),
    );
    expect(unique).toEqual(served);
  });

  test('killed and started again with other weights, and without the mirror, it moves nobody', async () => {
    await edge.kill();
    edge = await startShop(CHANGED, edge.dataDir);
    expect(await countMoved(edge, visitors.map(withoutMirror))).toBe(0);
  });

  test('with the ledger lost, the cookie keeps each in place', async () => {
    await edge.remove();
    edge = await startShop(CHANGED);
    expect(await countMoved(edge, visitors)).toBe(0);
  });
});
