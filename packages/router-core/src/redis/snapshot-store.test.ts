import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../../test/kit/redis-server.ts';
import type { SnapshotStore } from '../snapshot-store.ts';
import { createRedisSnapshotStore } from './index.ts';

/** What the shared contract does not see: the keys, the channel, and a server that fails. */

const stores: SnapshotStore[] = [];
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

/** Keeps what a follower hears. */
function follow(store: SnapshotStore): { heard: string[]; close(): void } {
  const heard: string[] = [];
  const follower = store.follow((text) => heard.push(text));
  return { heard, close: () => follower.close() };
}

/** Publishes once the store is in reach. */
async function publish(store: SnapshotStore, text: string): Promise<void> {
  await expect
    .poll(
      () =>
        store.publish(text).then(
          () => 'published',
          (error: unknown) => String(error),
        ),
      { timeout: 20_000 },
    )
    .toBe('published');
}

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `in Redis${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
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

    function open(): SnapshotStore {
      const store = createRedisSnapshotStore({ url: server.url });
      stores.push(store);
      return store;
    }

    test('what is published is read right after the opening', async () => {
      await publish(open(), 'there before');
      expect(await open().latest()).toBe('there before');
    });

    test('what nobody changed is not fetched again; what is lost or written by hand is', async () => {
      const store = open();
      const text = 'x'.repeat(1_000_000);
      await publish(store, text);
      expect(await store.latest()).toBe(text);
      const before = await readInfo();
      for (let i = 0; i < 3; i++) expect(await store.latest()).toBe(text);
      expect((await readInfo()).sent - before.sent).toBeLessThan(500_000);
      // With the digest of the text that was there.
      await direct.set('turnout:experiments', 'by hand');
      expect(await store.latest()).toBe('by hand');
      await direct.del('turnout:experiments');
      expect(await store.latest()).toBeUndefined();
      await publish(store, text);
      expect(await store.latest()).toBe(text);
    });

    async function subscribers(): Promise<number> {
      const [, count] = await direct.pubsub('NUMSUB', 'turnout:experiments');
      return Number(count);
    }

    /** How many GETs the server has had, and how many bytes it has sent. */
    async function readInfo(): Promise<{ gets: number; sent: number }> {
      const info = `${await direct.info('commandstats')}${await direct.info('stats')}`;
      return {
        gets: Number(/cmdstat_get:calls=(\d+)/.exec(info)?.[1] ?? 0),
        sent: Number(/total_net_output_bytes:(\d+)/.exec(info)?.[1]),
      };
    }

    test('is one string and a channel of its name', async () => {
      const listener = direct.duplicate();
      const messages: string[] = [];
      listener.on('message', (channel: string) => messages.push(channel));
      await listener.subscribe('turnout:experiments');
      await publish(open(), 'text');
      expect(await direct.get('turnout:experiments')).toBe('text');
      expect(await direct.pttl('turnout:experiments')).toBe(-1);
      await expect.poll(() => messages).toEqual(['turnout:experiments']);
      listener.disconnect();
    });

    test('a push that is lost is made good by the poll, and the subscription made again', async () => {
      const [store, other] = [open(), open()];
      const follower = follow(other);
      await publish(store, 'pushed');
      await expect.poll(() => follower.heard.at(-1)).toBe('pushed');
      await expect.poll(subscribers).toBe(1);
      await direct.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      expect(await subscribers()).toBe(0);
      await publish(store, 'lost');
      await expect.poll(() => follower.heard.at(-1)).toBe('lost');
      await expect.poll(subscribers).toBe(1);
    });

    test('what was written by hand is found by the poll alone', async () => {
      const follower = follow(open());
      await publish(open(), 'by us');
      await expect.poll(() => follower.heard.at(-1)).toBe('by us');
      await direct
        .multi()
        .set('turnout:experiments', 'by hand')
        .del('{turnout:experiments}:digest')
        .exec();
      await expect.poll(() => follower.heard.at(-1)).toBe('by hand');
      // And emptied: nothing is told, and what comes after is.
      await direct.flushall();
      await publish(open(), 'anew');
      await expect.poll(() => follower.heard.at(-1)).toBe('anew');
    });

    test('a poll fetches no text that is known', async () => {
      const text = 'x'.repeat(2_000_000);
      const follower = follow(open());
      await publish(open(), text);
      await expect.poll(() => follower.heard.at(-1) === text).toBe(true);
      const before = await readInfo();
      await expect
        .poll(async () => (await readInfo()).gets, { timeout: 20_000 })
        .toBeGreaterThan(before.gets + 2);
      expect((await readInfo()).sent - before.sent).toBeLessThan(text.length);
    });

    test('a server that is out of reach at the start, hangs or dies is taken up when it is there', async () => {
      const own = await startRedis();
      await own.kill();
      const store = createRedisSnapshotStore({ url: own.url });
      const other = createRedisSnapshotStore({ url: own.url });
      stores.push(store, other);
      const follower = follow(store);
      await expect(store.latest()).rejects.toThrow(/./);
      await expect(store.publish('nowhere')).rejects.toThrow(/./);
      await own.restart();
      await publish(other, 'there');
      await expect.poll(() => follower.heard.at(-1), { timeout: 20_000 }).toBe('there');

      own.pause();
      await expect(store.latest()).rejects.toThrow(/./);
      own.resume();
      await publish(other, 'thawed');
      await expect.poll(() => follower.heard.at(-1), { timeout: 20_000 }).toBe('thawed');

      await own.kill();
      await own.restart();
      // It was told: from its append-only file it says nothing new.
      await publish(other, 'restarted');
      await expect.poll(() => follower.heard.at(-1), { timeout: 20_000 }).toBe('restarted');
      expect(follower.heard).toEqual(['there', 'thawed', 'restarted']);
      await own.stop();
    }, 90_000);
  },
);
