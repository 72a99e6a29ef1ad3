import { createVisitorCookie, type VisitorId } from '@turnout/router-core';
import { createRedisStore } from '@turnout/router-core/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';
import { startRedisCluster } from '../kit/redis-cluster.ts';
import { startRedisSentinels } from '../kit/redis-sentinel.ts';
import { hasRedis, runRedisCommand, startRedis, type RedisServer } from '../kit/redis-server.ts';
import { startLoad, type LoadVisitor, type SteadyLoad } from '../kit/steady-load.ts';
import { until } from '../kit/until.ts';

/**
 * What a ledger that breaks costs visitors: at most the wait that the configuration allows.
 *
 * All returning visitors have variant A, which the hash gives to nobody any more: whoever is
 * drawn anew, because neither memory, ledger nor cookie was asked, is found out at once.
 */

const SECRET = 'a-secret-for-the-fault-suite';
const EXPERIMENTS = [
  {
    key: 'home',
    status: 'running',
    variants: [
      { key: 'control', upstream: 'control', weight: 50, control: true },
      { key: 'A', upstream: 'a', weight: 0 },
      { key: 'B', upstream: 'b', weight: 50 },
    ],
  },
];
const ASSIGNED = { variant: 'A', phase: 1, revision: 1 };
/** Milliseconds: the wait of 25 that is promised, and an allowance for a busy machine. */
const LONGEST_WAIT = 25 + 100;

const cookies = createVisitorCookie({ secrets: [SECRET], secure: false });
let upstreams: LightUpstreams;
beforeAll(async () => {
  upstreams = await startLightUpstreams(['control', 'a', 'b']);
});
afterAll(() => upstreams.close());

interface Trial {
  readonly edge: EdgeProcess;
  readonly load: SteadyLoad;
  readonly metric: (name: string) => Promise<number>;
  /** Waits until the ledger was given up. */
  readonly untilOpen: () => Promise<void>;
  /** Waits until the ledger is asked again and nothing is left to be written. */
  readonly untilWritten: () => Promise<void>;
}

/** What a fault must leave as it is. */
interface Outcome {
  /** Requests that failed, and visitors who changed variant. */
  readonly problems: readonly string[];
  /** 99 of 100 requests were decided within these milliseconds, and what the machine added. */
  readonly wait: number;
  readonly exitCode: number | null;
}
const UNHARMED: Outcome = {
  problems: [],
  wait: expect.toSatisfy((wait: number) => wait < LONGEST_WAIT, `under ${LONGEST_WAIT} ms`),
  exitCode: 0,
};

function cookieOf(id: VisitorId, mirror: readonly string[]): string {
  const entries = mirror.map((variant) => ({ experiment: 'home', variant, phase: 1 }));
  return cookies.serialise(id, entries).split(';', 1)[0] ?? '';
}

function idOf({ cookie }: LoadVisitor): VisitorId {
  const reading = cookies.read(cookie);
  if (reading.status !== 'valid') throw new Error(`Expected a visitor's cookie, got ${cookie}`);
  return reading.id;
}

/** Visitors of earlier, in ledger and cookie. */
async function seed(url: string, count = 400): Promise<LoadVisitor[]> {
  const store = createRedisStore({ url, ttl: 86_400_000 });
  await store.ready(20_000);
  const ids = Array.from({ length: count }, () => cookies.mint());
  await Promise.all(ids.map((id) => store.set(id, 'home', ASSIGNED)));
  await store.close();
  return ids.map((id) => ({ cookie: cookieOf(id, ['A']), served: '', variant: 'a' }));
}

function startTrialEdge(url: string, more: { ledgerWait?: string } = {}): Promise<EdgeProcess> {
  return startEdge({
    config: { upstreams: upstreams.config, default: 'control', experiments: EXPERIMENTS, ...more },
    env: { TURNOUT_REDIS_URL: url, TURNOUT_COOKIE_SECRETS: SECRET },
    workers: 1,
  });
}

/** Runs `work` while visitors come to an edge with this ledger. */
async function underLoad(
  url: string,
  returning: readonly LoadVisitor[],
  work: (trial: Trial) => Promise<void>,
  lanes = 2,
): Promise<Outcome> {
  const edge = await startTrialEdge(url);
  const load = startLoad(edge.url, returning, lanes);
  const metric = async (name: string): Promise<number> => metricValue(await edge.metrics(), name);
  const isOpen = () => metric('turnout_ledger_breaker_open');
  const waiting = () => metric('turnout_ledger_writes_waiting');
  try {
    await load.visits(20);
    await work({
      edge,
      load,
      metric,
      untilOpen: () => until('an open breaker', isOpen, (open) => open === 1),
      async untilWritten() {
        await until('a closed breaker', isOpen, (open) => open === 0);
        await until('all to be written', waiting, (writes) => writes === 0);
      },
    });
    await load.visits(20);
    await load.stop();
    const visitors = [...load.came];
    await until('a ledger that holds all', () => notHeld(url, visitors), isEmpty);
    const exitCode = await edge.stop();
    const waits = edge.logged('request').map(({ decisionMs }) => Number(decisionMs));
    return {
      problems: load.problems,
      wait: percentile(waits, 0.99) - load.stall(),
      exitCode,
    };
  } finally {
    await load.stop();
    await edge.remove();
  }
}

/** Where the ledger does not hold what visitors were served. */
async function notHeld(url: string, visitors: readonly LoadVisitor[]): Promise<string[]> {
  const store = createRedisStore({ url, ttl: 86_400_000 });
  await store.ready(20_000);
  const held = await Promise.all(
    visitors.map((visitor) => store.get(idOf(visitor)).then(variantIn, String)),
  );
  await store.close();
  return visitors.flatMap(({ variant }, index) => {
    const found = held[index];
    return found?.toLowerCase() === variant ? [] : [`${variant} is held as ${found}`];
  });
}

function variantIn(assignments: ReadonlyMap<string, { variant: string }>): string | undefined {
  return assignments.get('home')?.variant;
}

function isEmpty(values: readonly unknown[]): boolean {
  return values.length === 0;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}

async function withRedis(work: (redis: RedisServer) => Promise<Outcome>): Promise<Outcome> {
  const redis = await startRedis();
  try {
    return await work(redis);
  } finally {
    await redis.stop();
  }
}

/** Faults of one server that come and go while visitors come. */
const FAULTS: readonly {
  readonly name: string;
  readonly begin: (redis: RedisServer) => unknown;
  readonly end: (redis: RedisServer) => unknown;
}[] = [
  { name: 'killed', begin: (redis) => redis.kill(), end: (redis) => redis.restart() },
  { name: 'hung', begin: (redis) => redis.pause(), end: (redis) => redis.resume() },
  {
    name: 'a replica, that only reads',
    begin: ({ host, port }) => runRedisCommand(port, 'REPLICAOF', host, '1'),
    end: ({ port }) => runRedisCommand(port, 'REPLICAOF', 'NO', 'ONE'),
  },
  {
    name: 'out of memory',
    begin: ({ port }) => runRedisCommand(port, 'CONFIG', 'SET', 'maxmemory', '1'),
    end: ({ port }) => runRedisCommand(port, 'CONFIG', 'SET', 'maxmemory', '0'),
  },
];

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `a ledger that is${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  { concurrent: true },
  () => {
    test.each(FAULTS)('$name', async ({ begin, end }) => {
      const outcome = await withRedis(async (redis) =>
        underLoad(redis.url, await seed(redis.url), async ({ load, untilOpen, untilWritten }) => {
          await begin(redis);
          await untilOpen();
          await load.visits(100);
          await end(redis);
          await untilWritten();
        }),
      );
      expect(outcome).toEqual(UNHARMED);
    });

    test('down at the start', async () => {
      const outcome = await withRedis(async (redis) => {
        const returning = await seed(redis.url);
        await redis.kill();
        return underLoad(redis.url, returning, async ({ load, untilOpen, untilWritten }) => {
          await untilOpen();
          await load.visits(100);
          await redis.restart();
          await untilWritten();
        });
      });
      expect(outcome).toEqual(UNHARMED);
    });

    test('slow, for 200 ms at a time', async () => {
      const outcome = await withRedis(async (redis) => {
        const stutters = async ({ metric, untilWritten }: Trial): Promise<void> => {
          const stutter = async (): Promise<number> => {
            redis.pause();
            await new Promise((resolve) => setTimeout(resolve, 200));
            redis.resume();
            return metric('turnout_ledger_breaker_opened_total');
          };
          await until('a breaker that opens', stutter, (opened) => opened > 1);
          await untilWritten();
        };
        // So many at a time that five in a row are kept waiting within 200 ms.
        return underLoad(redis.url, await seed(redis.url, 1_000), stutters, 6);
      });
      expect(outcome).toEqual(UNHARMED);
    });

    test('killed, and started from its append-only file', async () => {
      const outcome = await withRedis(async (redis) => {
        const returning = await seed(redis.url);
        const killed = await underLoad(redis.url, returning, async (trial) => {
          await redis.kill();
          await trial.untilOpen();
          await redis.restart();
          await trial.untilWritten();
        });
        // Nothing but that file knows of them now: their cookies name no variant. They come to
        // an edge that waits, however busy this machine is.
        const edge = await startTrialEdge(redis.url, { ledgerWait: '20s' });
        const load = startLoad(edge.url, []);
        for (const visitor of returning) {
          await load.visit({ ...visitor, cookie: cookieOf(idOf(visitor), []) });
        }
        await load.stop();
        await edge.remove();
        return { ...killed, problems: [...killed.problems, ...load.problems] };
      });
      expect(outcome).toEqual(UNHARMED);
    });

    test('emptied: cookies fill it again', async () => {
      const outcome = await withRedis(async (redis) => {
        const edge = await startTrialEdge(redis.url);
        const load = startLoad(edge.url, await seed(redis.url));
        await load.visits(100);
        runRedisCommand(redis.port, 'FLUSHALL');
        await load.visits(100);
        await load.stop();
        await edge.remove();
        expect(load.problems).toEqual([]);
        // To another process, which remembers nobody.
        return underLoad(redis.url, [...load.came], async (trial) => {
          const isBack = (visitor: LoadVisitor): boolean => trial.load.came.has(visitor);
          await until('everybody', () => [...load.came].every(isBack), Boolean);
          await trial.untilWritten();
        });
      });
      expect(outcome).toEqual(UNHARMED);
    });

    test('a primary that is lost, with Sentinels', async () => {
      const redis = await startRedisSentinels();
      try {
        const returning = await seed(redis.url);
        const outcome = await underLoad(redis.url, returning, async (trial) => {
          const { load, untilOpen, untilWritten } = trial;
          // What is not yet replicated when a primary dies is lost, as Redis documents.
          await load.pause();
          await untilWritten();
          await until('a replica that has it all', () => redis.isReplicated(), Boolean);
          await redis.primary.kill();
          load.resume();
          await untilOpen();
          await untilWritten();
          expect(runRedisCommand(redis.replica.port, 'ROLE')).toMatch(/^master/);
        });
        expect(outcome).toEqual(UNHARMED);
      } finally {
        await redis.stop();
      }
    });

    test('a Cluster that has lost one of three nodes', async () => {
      const cluster = await startRedisCluster();
      const [alive, lost] = cluster.nodes;
      const keys = () => Number(runRedisCommand(alive.port, 'DBSIZE'));
      try {
        const returning = await seed(cluster.url);
        const outcome = await underLoad(cluster.url, returning, async (trial) => {
          const { load, metric, untilWritten } = trial;
          const errors = () => metric('turnout_ledger_errors_total');
          await lost.kill();
          const waiting = () => metric('turnout_ledger_writes_waiting');
          await until('writes that wait', waiting, (writes) => writes > 5);
          // The other nodes go on to be written …
          const [keysBefore, errorsBefore, began] = [keys(), await errors(), performance.now()];
          await load.visits(50);
          await until('more keys', keys, (count) => count > keysBefore + 5);
          // … and the one that is lost is not asked in a hot loop.
          const seconds = (performance.now() - began) / 1_000;
          expect(((await errors()) - errorsBefore) / seconds).toBeLessThan(3_000);
          await lost.restart();
          await untilWritten();
        });
        expect(outcome).toEqual(UNHARMED);
      } finally {
        await cluster.stop();
      }
    });
  },
);
