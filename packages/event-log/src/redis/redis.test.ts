import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startRedisCluster } from '../../../../test/kit/redis-cluster.ts';
import { hasRedis, runRedisCommand, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer, RedisServerOptions } from '../../../../test/kit/redis-server.ts';
import type { EventLog, EventReader, LoggedEvent } from '../event-log.ts';
import { createRedisEventLog, createRedisEventReader } from './index.ts';

/** What the shared contract does not see: the keys, and a server that fails. */

const LEASE = 60_000;
/** One second of patience, and a busy machine. */
const ABOUT_A_SECOND = 2_500;

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function open(url: string, partition = 0): { log: EventLog; reader: EventReader } {
  const log = createRedisEventLog({ url, random: () => partition / 4 });
  const reader = createRedisEventReader({ url, name: 'a', lease: LEASE });
  opened.push(log, reader);
  return { log, reader };
}

const textsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ text }) => text);
const idsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ id }) => id);
const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `event ${from + index}`);

/** What a call came to, and after how many milliseconds. */
async function outcomeOf(call: Promise<unknown>): Promise<{ outcome: string; after: number }> {
  const began = performance.now();
  const outcome = await call.then(
    () => 'done',
    (error: unknown) => String(error),
  );
  return { outcome, after: performance.now() - began };
}

/** Until the connection is there again. */
async function succeeds(call: () => Promise<unknown>): Promise<void> {
  await expect
    .poll(async () => (await outcomeOf(call())).outcome, { timeout: 20_000 })
    .toBe('done');
}

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `on redis-server${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    let server: RedisServer;
    let direct: Redis;

    beforeAll(async () => {
      server = await startRedis();
      direct = new Redis(server.url);
    }, 30_000);
    afterAll(async () => {
      direct?.disconnect();
      await server?.stop();
    });
    afterEach(async () => {
      await direct.flushall();
    });

    test('the keys are streams with a group, spread by chance, one for each log', async () => {
      for (const partition of [0, 3]) {
        const { log, reader } = open(server.url, partition);
        await log.append(['one', 'two']);
        await log.append(['three']);
        await reader.read(9, 0);
      }
      expect((await direct.keys('*')).toSorted()).toEqual(
        [0, 1, 2, 3].map((partition) => `turnout:events:{${partition}}`),
      );
      const entries = await direct.xrange('turnout:events:{3}', '-', '+');
      expect(entries.map(([, fields]) => fields)).toEqual([
        ['e', 'one'],
        ['e', 'two'],
        ['e', 'three'],
      ]);
      expect(await direct.xinfo('GROUPS', 'turnout:events:{3}')).toEqual([
        expect.arrayContaining(['name', 'api', 'consumers', 1]),
      ]);
    });

    test('over 100,000 events memory stays flat, but for the one that nobody acknowledged', async () => {
      const { log, reader } = open(server.url);
      await log.append(['left', 'other']);
      const [left, other] = await reader.read(2, 1_000);
      const sizes: number[] = [];
      const next = createRedisEventReader({ url: server.url, name: 'b', lease: LEASE });
      opened.push(next);
      for (let from = 0; from < 100_000; from += 5_000) {
        await log.append(numbered(5_000, from));
        const events = await next.read(5_000, 1_000);
        expect(events.length).toBe(5_000);
        await next.ack(idsOf(events));
        sizes.push(Number(await direct.call('MEMORY', 'USAGE', 'turnout:events:{0}')));
      }
      expect(sizes.at(-1)).toBeLessThan((sizes[0] ?? 0) + 1_000);
      expect(await log.lag()).toBe(2);
      expect(await reader.read(9, 0)).toEqual([left, other]);
    }, 60_000);

    test('an event that was deleted by hand is passed over', async () => {
      const { log, reader } = open(server.url);
      await log.append(numbered(3));
      const [, second] = await reader.read(3, 1_000);
      await direct.xdel('turnout:events:{0}', second?.id.split('/')[1] ?? '');
      const left = await reader.read(3, 0);
      expect(textsOf(left)).toEqual(['event 0', 'event 2']);
      await reader.ack(idsOf(left));
      expect(await direct.xpending('turnout:events:{0}', 'api')).toEqual([0, null, null, null]);
    });

    test('a server whose memory is full takes all of a batch or nothing, and is drained', async () => {
      const { log, reader } = open(server.url);
      await log.append(numbered(10));
      await direct.config('SET', 'maxmemory', '1');
      const { outcome, after } = await outcomeOf(log.append(numbered(10, 10)));
      expect(outcome).toContain('OOM');
      expect(after).toBeLessThan(ABOUT_A_SECOND);
      const events = await reader.read(100, 1_000);
      expect(textsOf(events)).toEqual(numbered(10));
      await reader.ack(idsOf(events));
      expect(await log.lag()).toBe(0);
      await direct.config('SET', 'maxmemory', '0');
      await log.append(['again']);
      expect(await log.lag()).toBe(1);
    });

    test('a replica rejects, and is written when it has become a primary', async () => {
      const { log } = open(server.url);
      await log.append(['before']);
      await direct.replicaof('127.0.0.1', '1');
      const { outcome, after } = await outcomeOf(log.append(['meanwhile']));
      await direct.replicaof('NO', 'ONE');
      expect(outcome).toContain('READONLY');
      expect(after).toBeLessThan(ABOUT_A_SECOND);
      await succeeds(() => log.append(['after']));
    });
  },
);

describe.skipIf(!redisIsHere)(
  `when Redis fails${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    const servers: { stop(): Promise<void> }[] = [];
    afterEach(async () => {
      await Promise.all(servers.splice(0).map((one) => one.stop()));
    });
    async function start(options?: RedisServerOptions): Promise<RedisServer> {
      const server = await startRedis(options);
      servers.push(server);
      return server;
    }

    test('a server that is killed has all that was appended when it is back', async () => {
      const server = await start();
      const { log, reader } = open(server.url);
      await log.append(numbered(2_000));
      const had = await reader.read(500, 1_000);
      await reader.ack(idsOf(had.slice(0, 100)));
      await server.kill();
      const calls = [log.append(['lost']), reader.read(10, 1_000), reader.ack(idsOf(had))];
      for (const { outcome, after } of await Promise.all(calls.map(outcomeOf))) {
        expect(outcome).toContain('Error');
        expect(after).toBeLessThan(ABOUT_A_SECOND);
      }
      expect(await log.lag()).toBeUndefined();
      await server.restart();
      await expect.poll(() => log.lag(), { timeout: 20_000 }).toBe(1_900);
      await succeeds(() => reader.read(1, 0));
      // First what it had.
      const events = await reader.read(5_000, 1_000);
      expect(textsOf(events)).toEqual(numbered(1_900, 100));
    });

    test('a server that hangs rejects within about a second, then at once, until it is back', async () => {
      const server = await start();
      const { log, reader } = open(server.url);
      await log.append(numbered(3));
      const events = await reader.read(10, 1_000);
      server.pause();
      const calls = [
        log.append(['meanwhile']),
        log.append(numbered(10_000)),
        reader.read(10, 5_000),
        reader.ack(idsOf(events)),
      ];
      for (const { outcome, after } of await Promise.all(calls.map(outcomeOf))) {
        expect(outcome).toContain('Error');
        // A read asks each of four streams; after the first there is no connection.
        expect(after).toBeLessThan(ABOUT_A_SECOND);
      }
      expect((await outcomeOf(log.append(['later']))).after).toBeLessThan(500);
      server.resume();
      await succeeds(() => log.append(['after']));
      await succeeds(() => reader.ack(idsOf(events)));
      // What was on its way may have come all the same.
      const texts = textsOf(await reader.read(100_000, 1_000));
      expect(texts.filter((text) => text === 'after').length).toBe(1);
    });

    test('a server that is not there at the start is taken up when it is', async () => {
      const server = await start();
      await server.kill();
      const { log, reader } = open(server.url);
      for (const { outcome, after } of await Promise.all(
        [log.append(['too early']), reader.read(1, 0)].map(outcomeOf),
      )) {
        expect(outcome).toContain('Error');
        expect(after).toBeLessThan(ABOUT_A_SECOND);
      }
      expect(await log.lag()).toBeUndefined();
      await server.restart();
      await succeeds(() => log.append(['there']));
      await succeeds(() => reader.read(1, 0));
    });

    test('a node of a Cluster that is lost takes its own streams with it, and no others', async () => {
      const cluster = await startRedisCluster();
      servers.push(cluster);
      const nodeOf = (partition: number): RedisServer => {
        const key = `turnout:events:{${partition}}`;
        const slot = Number(
          runRedisCommand(cluster.nodes[0].port, 'CLUSTER', 'KEYSLOT', key).trim(),
        );
        return cluster.nodes[slot < 5_461 ? 0 : slot < 10_923 ? 1 : 2];
      };
      const lost = nodeOf(0);
      const staying = [1, 2, 3].find((partition) => nodeOf(partition) !== lost) ?? 0;
      const { log, reader } = open(cluster.url, 0);
      const { log: other } = open(cluster.url, staying);
      await log.append(['on the lost node']);
      await lost.kill();
      await expect(log.append(['meanwhile'])).rejects.toThrow(/./);
      await succeeds(() => other.append(['elsewhere']));
      const events: LoggedEvent[] = [];
      await expect
        .poll(
          async () => {
            events.push(...(await reader.read(10, 0).catch(() => [])));
            return textsOf(events);
          },
          { timeout: 20_000 },
        )
        .toContain('elsewhere');
      await reader.ack(idsOf(events));
      await lost.restart();
      await expect
        .poll(async () => textsOf(await reader.read(10, 0).catch(() => [])), { timeout: 20_000 })
        .toContain('on the lost node');
    }, 60_000);
  },
);

test.each([createRedisEventLog, createRedisEventReader])(
  '%o refuses an address that is none',
  (create) => {
    expect(() => create({ url: 'http://127.0.0.1:6379', name: 'a' })).toThrow(
      'Expected redis://HOST:PORT',
    );
  },
);
