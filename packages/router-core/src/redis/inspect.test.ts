import { describe, expect, test } from 'vitest';
import { hasRedis, runRedisCommand, startRedis } from '../../../../test/kit/redis-server.ts';
import { freePort } from '../../../../test/kit/server-process.ts';
import { inspectRedis, readInfo } from './inspect.ts';

test('INFO of Valkey, and one that tells nothing', () => {
  const valkey = '# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\nrole:slave\r\n';
  expect(readInfo(valkey)).toMatchObject({ version: '8.0.1', role: 'slave', appendOnly: false });
  expect(readInfo('')).toEqual({
    version: 'unknown',
    role: 'unknown',
    appendOnly: false,
    evictionPolicy: 'unknown',
    usedMemory: 0,
    memoryLimit: 0,
  });
});

test('a server that is not there is an error soon, with the reason', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  await expect(inspectRedis(url, 200)).rejects.toThrow('ECONNREFUSED');
});

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `in Redis${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    test('a primary, its replica, and a password that is wrong', async () => {
      const primary = await startRedis({
        settings: ['--maxmemory', '64mb', '--maxmemory-policy', 'volatile-lru'],
      });
      const replica = await startRedis({
        settings: ['--replicaof', primary.host, String(primary.port), '--requirepass', 'sesame'],
      });
      try {
        expect(await inspectRedis(primary.url, 20_000)).toEqual([
          {
            address: `${primary.host}:${primary.port}`,
            version: expect.stringMatching(/^\d+\.\d+/),
            role: 'master',
            appendOnly: true,
            appendFsync: 'always',
            evictionPolicy: 'volatile-lru',
            usedMemory: expect.any(Number),
            memoryLimit: 64 * 2 ** 20,
          },
        ]);
        const open = replica.url.replace('://', '://:sesame@');
        expect(await inspectRedis(open, 20_000)).toMatchObject([{ role: 'slave' }]);
        // As docs/ledger.md allows it, it may not ask for settings.
        runRedisCommand(primary.port, 'ACL', 'SETUSER', 'edge', 'on', '>pass', '~*', '+info');
        const limited = primary.url.replace('://', '://edge:pass@');
        expect(await inspectRedis(limited, 20_000)).toMatchObject([
          { appendOnly: true, appendFsync: undefined },
        ]);
        const wrong = replica.url.replace('://', '://:guess@');
        await expect(inspectRedis(wrong, 20_000)).rejects.toThrow('WRONGPASS');
        await expect(inspectRedis(replica.url, 20_000)).rejects.toThrow('NOAUTH');
      } finally {
        await Promise.all([primary.stop(), replica.stop()]);
      }
    });

    test('each master of a Cluster', async () => {
      const server = await startRedis({ cluster: true });
      try {
        const address = `${server.host}:${server.port}`;
        expect(await inspectRedis(server.url, 20_000)).toMatchObject([{ address, role: 'master' }]);
      } finally {
        await server.stop();
      }
    });
  },
);
