import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startRedisCluster } from '../../../test/kit/redis-cluster.ts';
import { startRedisSentinels } from '../../../test/kit/redis-sentinel.ts';
import { hasRedis, startRedis } from '../../../test/kit/redis-server.ts';
import { createEmbeddedSnapshotStore } from './embedded/index.ts';
import { createRedisSnapshotStore } from './redis/index.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/**
 * The contract of SnapshotStore, run against every implementation. The tests of one
 * implementation share its data, as the processes of one installation do.
 */

interface Backend {
  open(): SnapshotStore;
  /** The same as the source of a module, for another process. */
  readonly openSource: string;
  stop(): Promise<void>;
}

interface Stoppable {
  readonly url: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const sourceOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

async function startEmbedded(): Promise<Backend> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-snapshot-'));
  const options = { file: join(folder, 'data', 'experiments.sqlite') };
  return {
    open: () => createEmbeddedSnapshotStore(options),
    openSource: `import { createEmbeddedSnapshotStore } from ${sourceOf('./embedded/index.ts')};
      const store = createEmbeddedSnapshotStore(${JSON.stringify(options)});`,
    stop: async () => rmSync(folder, { recursive: true }),
  };
}

async function startRedisBackend(starting: Promise<Stoppable>): Promise<Backend> {
  const server = await starting;
  const { url } = server;
  return {
    open: () => createRedisSnapshotStore({ url }),
    openSource: `import { createRedisSnapshotStore } from ${sourceOf('./redis/index.ts')};
      const store = createRedisSnapshotStore(${JSON.stringify({ url })});`,
    stop: () => server.stop(),
  };
}

const redisIsHere = hasRedis();
const leftOut = redisIsHere ? '' : ' (left out: no redis-server in PATH)';
const backends = [
  { name: 'node:sqlite', isHere: true, start: startEmbedded },
  {
    name: `redis-server${leftOut}`,
    isHere: redisIsHere,
    start: () => startRedisBackend(startRedis()),
  },
  {
    name: `Redis Cluster${leftOut}`,
    isHere: redisIsHere,
    start: () => startRedisBackend(startRedisCluster()),
  },
  {
    name: `Redis with Sentinels${leftOut}`,
    isHere: redisIsHere,
    start: () => startRedisBackend(startRedisSentinels()),
  },
];

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

/** Runs a module in a process of its own, to its natural end. */
async function runProcess(source: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['--input-type=module-typescript', '--eval', source],
    { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
  );
  return stdout.trim();
}

for (const { name, isHere, start } of backends) {
  describe.skipIf(!isHere)(`in ${name}`, () => {
    let backend: Backend;

    beforeAll(async () => {
      backend = await start();
    }, 30_000);
    afterAll(async () => {
      await backend?.stop();
    });

    function open(): SnapshotStore {
      const store = backend.open();
      stores.push(store);
      return store;
    }

    test('nothing was ever published, then what is published is read by all', async () => {
      const [store, other] = [open(), open()];
      const early = follow(other);
      await expect
        .poll(() => store.latest().catch(() => 'out of reach'), { timeout: 20_000 })
        .toBeUndefined();
      await publish(store, 'first');
      expect(await store.latest()).toBe('first');
      await publish(store, 'second');
      expect(await store.latest()).toBe('second');
      await expect.poll(() => early.heard.at(-1), { timeout: 20_000 }).toBe('second');
      expect(await other.latest()).toBe('second');
      // Who had published hears it too.
      const own = follow(store);
      await expect.poll(() => own.heard, { timeout: 20_000 }).toEqual(['second']);
    });

    test('a follower hears at once what was there before, and once what does not change', async () => {
      const store = open();
      await publish(store, 'before');
      const late = open();
      const follower = follow(late);
      await expect.poll(() => follower.heard, { timeout: 20_000 }).toEqual(['before']);
      // Published again as it is, and then another: between them nothing is told.
      await publish(store, 'before');
      await publish(store, 'after');
      await expect.poll(() => follower.heard.at(-1), { timeout: 20_000 }).toBe('after');
      expect(follower.heard).toEqual(['before', 'after']);
    });

    test('a follower that was closed hears no more, and leaves the others alone', async () => {
      const store = open();
      await publish(store, 'both');
      const [left, stays] = [follow(store), follow(store)];
      await expect
        .poll(() => [left.heard, stays.heard], { timeout: 20_000 })
        .toEqual([['both'], ['both']]);
      left.close();
      left.close();
      await publish(store, 'one');
      await expect.poll(() => stays.heard, { timeout: 20_000 }).toEqual(['both', 'one']);
      expect(left.heard).toEqual(['both']);
    });

    test('followers in other processes hear within a second, and nothing keeps them alive', async () => {
      const store = open();
      await publish(store, 'at 0');
      const followers = Array.from({ length: 2 }, () =>
        runProcess(
          `${backend.openSource}
           await new Promise((resolve) => {
             store.follow((text) => {
               if (text === 'end') return resolve(undefined);
               const delay = Date.now() - Number(text.slice(3));
               if (text !== 'at 0') console.log(delay);
             });
           });
           await store.close();
           await store.close();`,
        ),
      );
      const done = Promise.all(followers);
      const state = { isDone: false };
      void done.finally(() => {
        state.isDone = true;
      });
      for (let count = 0; !state.isDone; count += 1) {
        await publish(store, count < 6 ? `at ${Date.now()}` : 'end');
        await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 250))]);
      }
      for (const delays of await done) {
        const sorted = delays
          .split('\n')
          .map(Number)
          .toSorted((a, b) => a - b);
        expect(sorted.length).toBeGreaterThan(2);
        // The median: this machine may be busy, and stall any single one.
        expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(1_000);
      }
    }, 60_000);

    test('large texts come whole, whatever their letters', async () => {
      const store = open();
      const text = '{"title":"Größe — ✓"}'.repeat(100_000);
      await publish(store, text);
      const other = open();
      const follower = follow(other);
      await expect.poll(() => follower.heard.length, { timeout: 20_000 }).toBe(1);
      expect(follower.heard[0] === text).toBe(true);
      expect((await other.latest()) === text).toBe(true);
    });

    test('rejects once closed, and tells nothing', async () => {
      const store = open();
      await publish(store, 'before the end');
      const closed = backend.open();
      const follower = follow(closed);
      await expect.poll(() => follower.heard, { timeout: 20_000 }).toEqual(['before the end']);
      await closed.close();
      await expect(closed.latest()).rejects.toThrow(/./);
      await expect(closed.publish('too late')).rejects.toThrow(/./);
      await publish(store, 'after the end');
      expect(follower.heard).toEqual(['before the end']);
      expect(await store.latest()).toBe('after the end');
    });
  });
}
