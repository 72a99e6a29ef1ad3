import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedisCluster } from '../../../../test/kit/redis-cluster.ts';
import type { RedisCluster } from '../../../../test/kit/redis-cluster.ts';
import { hasRedis } from '../../../../test/kit/redis-server.ts';
import type { Ledger } from '../store.ts';
import { createVisitorCookie } from '../visitor-cookie.ts';
import { createRedisStore } from './index.ts';

/** A Cluster whose nodes come and go: what one of them holds must never cost the others. */

const proposal = { variant: 'A', phase: 1, revision: 1 };
const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });
/** So many that each node holds some of them. */
const VISITORS = Array.from({ length: 60 }, () => cookie.mint());

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `in a Cluster of three${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    let cluster: RedisCluster;
    let store: Ledger;

    beforeAll(async () => {
      cluster = await startRedisCluster();
      store = createRedisStore({ url: cluster.url, ttl: 86_400_000 });
    }, 60_000);
    afterAll(async () => {
      await store?.close();
      await cluster?.stop();
    });

    /** Asks for everybody at once: how many were answered, and how long the others took to fail. */
    async function askForAll(): Promise<{ answered: number; longestFailure: number }> {
      let longestFailure = 0;
      const answers = await Promise.all(
        VISITORS.map(async (visitor) => {
          const began = performance.now();
          try {
            await store.getOrSet(visitor, 'home', proposal, ['A']);
            return true;
          } catch {
            longestFailure = Math.max(longestFailure, performance.now() - began);
            return false;
          }
        }),
      );
      return { answered: answers.filter(Boolean).length, longestFailure };
    }
    const answered = async (): Promise<number> => (await askForAll()).answered;

    test('all nodes are connected once the store is ready', async () => {
      expect(await store.ready(20_000)).toBe(true);
      expect(await answered()).toBe(VISITORS.length);
    });

    test('a node that is lost takes its own visitors with it, quickly, until it is back', async () => {
      const [, lost] = cluster.nodes;
      await lost.kill();
      await askForAll();
      // Again and again, as its slots are looked for.
      for (let round = 0; round < 5; round += 1) {
        const { answered: others, longestFailure } = await askForAll();
        expect(others).toBeGreaterThan(VISITORS.length / 3);
        expect(others).toBeLessThan(VISITORS.length);
        expect(longestFailure).toBeLessThan(500);
      }
      await lost.restart();
      await expect.poll(answered, { timeout: 20_000 }).toBe(VISITORS.length);
    }, 60_000);

    test('a node that hangs is given up after a second, and used when it is back', async () => {
      const [, , hung] = cluster.nodes;
      hung.pause();
      const first = await askForAll();
      expect(first.answered).toBeLessThan(VISITORS.length);
      expect(first.longestFailure).toBeLessThan(2_500);
      const { answered: others } = await askForAll();
      expect(others).toBeGreaterThan(VISITORS.length / 3);
      hung.resume();
      await expect.poll(answered, { timeout: 20_000 }).toBe(VISITORS.length);
    }, 60_000);
  },
);
