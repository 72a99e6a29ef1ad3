import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, runRedisCommand, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../../test/kit/redis-server.ts';
import type { Ledger } from '../store.ts';
import { createVisitorCookie, visitorId } from '../visitor-cookie.ts';
import { createRedisSnapshotStore, createRedisStore } from './index.ts';

/** What the shared contract does not see: the keys, and the connection. */

const DAY = 86_400_000;
const SECRET = 'a-secret-for-the-tests';
const ID = visitorId('AAECAwQFBgcICQoLDA0ODw');
const VARIANTS = ['control', 'A'];
const proposal = { variant: 'A', phase: 2, revision: 7 };

function connections(info: string): number {
  return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
}

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `in Redis${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    let server: RedisServer;
    let direct: Redis;
    let store: Ledger;

    beforeAll(async () => {
      server = await startRedis();
      direct = new Redis(server.url);
      store = createRedisStore({ url: server.url, ttl: DAY });
      await store.ready(10_000);
    });
    afterAll(async () => {
      await store?.close();
      direct?.disconnect();
      await server?.stop();
    });

    test('a visitor is a hash under abtest:, with a time to live', async () => {
      await store.getOrSet(ID, 'home-redesign', proposal, VARIANTS);
      expect(await direct.hgetall(`abtest:{${ID}}`)).toEqual({ 'home-redesign': 'A:2:7' });
      const ttl = await direct.pttl(`abtest:{${ID}}`);
      expect(ttl).toBeGreaterThan(DAY - 60_000);
      expect(ttl).toBeLessThanOrEqual(DAY);
    });

    test('the prefix can be another', async () => {
      const other = createRedisStore({ url: server.url, ttl: DAY, prefix: 'shop:abtest:' });
      await other.ready(10_000);
      await other.getOrSet(ID, 'home', proposal, VARIANTS);
      expect(await direct.exists(`shop:abtest:{${ID}}`)).toBe(1);
      await other.close();
    });

    test('a value that is not ours is replaced', async () => {
      await direct.hset(`abtest:{${ID}}`, 'price', 'A');
      const entry = await store.getOrSet(ID, 'price', proposal, VARIANTS);
      expect(entry).toEqual({ ...proposal, written: true });
    });

    test('unique visitors are a HyperLogLog per day, kept for 35 days', async () => {
      await store.visitors.add('home', 1, 'A', '2026-11-23', [ID]);
      const key = 'turnout:visitors:{home:1:A}:2026-11-23';
      expect(await direct.pfcount(key)).toBe(1);
      const ttl = await direct.ttl(key);
      expect(ttl).toBeGreaterThan(34 * 86_400);
      expect(ttl).toBeLessThanOrEqual(35 * 86_400);
    });

    test('a server that forgot the script is given it again', async () => {
      await direct.script('FLUSH');
      const entries = await Promise.all(
        Array.from({ length: 10 }, async () =>
          store.getOrSet(ID, 'after-flush', proposal, VARIANTS),
        ),
      );
      expect(entries.filter(({ written }) => written)).toHaveLength(1);
    });

    test('a user with the rights that docs/ledger.md gives can do all, and no more', async () => {
      const visitor = createVisitorCookie({ secrets: [SECRET], secure: false }).mint();
      const docs = readFileSync(new URL('../../../../docs/ledger.md', import.meta.url), 'utf8');
      const rights = /```acl\n(.+)\n```/.exec(docs)?.[1] ?? '';
      await direct.call('ACL', 'SETUSER', 'turnout', 'on', '>secret', ...rights.split(' '));
      const url = server.url.replace('://', '://turnout:secret@');
      const own = createRedisStore({ url, ttl: DAY });
      const snapshots = createRedisSnapshotStore({ url });
      expect(await own.ready(10_000)).toBe(true);
      const heard: string[] = [];
      own.onChanged((changed) => heard.push(changed));
      snapshots.follow((text) => heard.push(text));
      await own.getOrSet(visitor, 'rights', proposal, VARIANTS);
      await own.visitors.add('rights', 1, 'A', '2026-11-23', [visitor]);
      expect(await own.visitors.countOver('rights', 1, 'A', ['2026-11-23'])).toBe(1);
      await expect.poll(() => snapshots.publish('allowed').then(() => '', String)).toBe('');
      await expect
        .poll(async () => {
          await own.set(visitor, 'rights', proposal);
          return heard.toSorted().slice(0, 2);
        })
        .toEqual([visitor, 'allowed'].toSorted());
      expect((await own.get(visitor)).get('rights')).toEqual(proposal);
      expect(await own.forget(visitor)).toBeGreaterThan(0);
      const user = new Redis(url);
      await expect(user.flushall()).rejects.toThrow('NOPERM');
      await expect(user.set('others', 1)).rejects.toThrow('NOPERM');
      user.disconnect();
      await Promise.all([own.close(), snapshots.close()]);
    });

    test('who is cut off when a visitor is erased is told afterwards, once', async () => {
      const cookie = createVisitorCookie({ secrets: [SECRET], secure: false });
      const cutOff = createRedisStore({ url: server.url, ttl: DAY });
      await cutOff.ready(10_000);
      const heard: string[] = [];
      const watch = cutOff.onChanged((visitor) => heard.push(visitor));
      const [before, missed, after] = [cookie.mint(), cookie.mint(), cookie.mint()];
      await expect
        .poll(async () => {
          await store.forget(before);
          return heard.includes(before);
        })
        .toBe(true);
      // Nobody listens at the moment: what the channel says now, no edge hears.
      await direct.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      expect(await direct.pubsub('NUMSUB', 'turnout:visitors')).toEqual(['turnout:visitors', 0]);
      await store.forget(missed);
      await expect.poll(() => heard, { timeout: 10_000 }).toContain(missed);
      await store.set(after, 'home', proposal);
      await expect.poll(() => heard, { timeout: 10_000 }).toContain(after);
      expect(heard.filter((visitor) => visitor !== before)).toEqual([missed, after]);
      watch.close();
      await cutOff.close();
      // They are kept for a day, and no longer.
      expect(await direct.zscore('turnout:visitors-changed', missed)).not.toBeNull();
      const ttl = await direct.pttl('turnout:visitors-changed');
      expect(ttl).toBeGreaterThan(DAY - 60_000);
      expect(ttl).toBeLessThanOrEqual(DAY);
    });

    test('a dropped connection is made again', async () => {
      await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await expect
        .poll(
          async () =>
            store.get(ID).then(
              ({ size }) => size > 0,
              () => false,
            ),
          { timeout: 10_000 },
        )
        .toBe(true);
    });

    test('a server that hangs fails all calls at once, and is taken up when it is back', async () => {
      const own = await startRedis();
      const hanging = createRedisStore({ url: own.url, ttl: DAY });
      await hanging.ready(10_000);
      own.pause();
      const began = performance.now();
      const calls: Promise<string>[] = [];
      // From several turns of the event loop: none waits for the time-out of another.
      for (let turn = 0; turn < 20; turn += 1) {
        calls.push(hanging.getOrSet(ID, 'home', proposal, VARIANTS).then(String, String));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const outcomes = await Promise.all(calls);
      // One second of patience, the 400 ms of the calls, and a busy machine.
      expect(performance.now() - began).toBeLessThan(2_500);
      expect(outcomes.filter((outcome) => !outcome.includes('Error'))).toEqual([]);
      // While it hangs there is no connection, so nothing waits.
      const later = performance.now();
      await expect(hanging.get(ID)).rejects.toThrow(/./);
      expect(performance.now() - later).toBeLessThan(500);
      own.resume();
      await expect
        .poll(async () => hanging.get(ID).then(({ size }) => size, String), { timeout: 10_000 })
        .toBeTypeOf('number');
      await hanging.close();
      await own.stop();
    });

    test('a server that still reads its file rejects quickly, and is taken up when it has', async () => {
      // A pause for each key makes a small file take its time.
      const own = await startRedis({ settings: ['--key-load-delay', '5000'] });
      const filling = createRedisStore({ url: own.url, ttl: DAY });
      await filling.ready(10_000);
      const cookie = createVisitorCookie({ secrets: [SECRET], secure: false });
      const ids = Array.from({ length: 120 }, () => cookie.mint());
      await Promise.all(ids.map((id) => filling.set(id, 'home', proposal)));
      await own.kill();
      const state = { isLoaded: false };
      const loading = own.restart().finally(() => {
        state.isLoaded = true;
      });
      const waits: number[] = [];
      while (!state.isLoaded) {
        const began = performance.now();
        await filling.get(ID).catch(() => undefined);
        waits.push(performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await loading;
      const sorted = waits.toSorted((a, b) => a - b);
      expect(sorted.length).toBeGreaterThan(10);
      expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThan(100);
      await expect
        .poll(async () => filling.get(ids[0] ?? ID).then(({ size }) => size, String), {
          timeout: 10_000,
        })
        .toBe(1);
      await filling.close();
      await own.stop();
    });

    test('a replica without its primary rejects quickly', async () => {
      const own = await startRedis();
      const replica = createRedisStore({ url: own.url, ttl: DAY });
      await replica.ready(10_000);
      runRedisCommand(own.port, 'CONFIG', 'SET', 'replica-serve-stale-data', 'no');
      runRedisCommand(own.port, 'REPLICAOF', own.host, '1');
      await expect(replica.getOrSet(ID, 'home', proposal, VARIANTS)).rejects.toThrow('MASTERDOWN');
      runRedisCommand(own.port, 'REPLICAOF', 'NO', 'ONE');
      await expect
        .poll(async () => replica.get(ID).then(({ size }) => size, String), { timeout: 10_000 })
        .toBe(0);
      await replica.close();
      await own.stop();
    });

    test('a primary that became a replica is left', async () => {
      const errors: string[] = [];
      const own = createRedisStore({ url: server.url, ttl: DAY });
      await own.ready(10_000);
      await direct.replicaof('127.0.0.1', '1');
      const before = await direct.info('stats');
      await own.getOrSet(ID, 'read-only', proposal, VARIANTS).catch((error: unknown) => {
        errors.push(String(error));
      });
      await expect
        .poll(async () => connections(await direct.info('stats')), { timeout: 10_000 })
        .toBeGreaterThan(connections(before));
      await direct.replicaof('NO', 'ONE');
      expect(errors).toEqual([expect.stringContaining('READONLY')]);
      await own.close();
    });
  },
);

test('connection errors go to onError and nowhere else', async () => {
  const errors: Error[] = [];
  const store = createRedisStore({
    url: 'redis://127.0.0.1:1',
    ttl: DAY,
    onError: (error) => errors.push(error),
  });
  await expect.poll(() => errors.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await expect(store.get(ID)).rejects.toThrow(/./);
  await store.close();
});

test.each(['', 'http://127.0.0.1:6379', 'redis://', 'redis://a:b:c', 'redis://127.0.0.1:1,,'])(
  'refuses the address "%s"',
  (url) => {
    expect(() => createRedisStore({ url, ttl: DAY })).toThrow('Expected redis://HOST:PORT');
  },
);

test('does not show the password of an address it refuses', () => {
  expect(() => createRedisStore({ url: 'http://me:hunter2@host', ttl: DAY })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  );
});
