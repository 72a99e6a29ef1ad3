import { describe, expect, test } from 'vitest';
import { hasRedis, runRedisCommand, startRedis } from '../../../../test/kit/redis-server.ts';
import { warnOfLossyRedis } from './redis-durability.ts';

/** What is warned of, by `expected` and `got`. */
async function warningsOf(url: string): Promise<unknown[]> {
  const warnings: unknown[] = [];
  await warnOfLossyRedis(url, { warn: (fields: unknown) => void warnings.push(fields) });
  return warnings;
}

describe.runIf(hasRedis())('of a Redis', () => {
  test('that may lose what it confirmed is warned, with what to set; of a lasting one it is not', async () => {
    const redis = await startRedis();
    try {
      const set = (...setting: [string, string]): unknown =>
        runRedisCommand(redis.port, 'CONFIG', 'SET', ...setting);
      const warning = (got: string) => ({
        redis: `${redis.host}:${redis.port}`,
        expected: 'appendonly yes, appendfsync always',
        got,
      });
      expect(await warningsOf(redis.url)).toEqual([]);
      set('appendfsync', 'everysec');
      expect(await warningsOf(redis.url)).toEqual([warning('appendfsync everysec')]);
      runRedisCommand(redis.port, 'ACL', 'SETUSER', 'edge', 'on', '>pass', '~*', '+info');
      expect(await warningsOf(redis.url.replace('://', '://edge:pass@'))).toEqual([]);
      set('appendonly', 'no');
      expect(await warningsOf(redis.url)).toEqual([warning('appendonly no')]);
    } finally {
      await redis.stop();
    }
  });

  test('that lets nobody in nothing is said', async () => {
    const redis = await startRedis({ settings: ['--requirepass', 'sesame'] });
    try {
      expect(await warningsOf(redis.url)).toEqual([]);
    } finally {
      await redis.stop();
    }
  });
});
