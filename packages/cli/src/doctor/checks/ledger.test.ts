import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, startRedis } from '../../../../../test/kit/redis-server.ts';
import { freePort } from '../../../../../test/kit/server-process.ts';
import { inspectFolder, networkFileSystem } from '../data-folder.ts';
import { findings, startSite, troubles } from '../testing/site.ts';
import { folderFindings, redisFindings } from './ledger.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnout-doctor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the data folder', () => {
  const FINE = { folder: '/data', isWritable: true, room: 2 ** 30, network: undefined };

  test('a folder that is not there yet is judged by the one above, and not made', async () => {
    const report = await inspectFolder(join(folder, 'a', 'b'));
    expect(report).toEqual({
      folder,
      isWritable: true,
      room: expect.any(Number),
      network: undefined,
    });
    expect(report.room).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual([]);
  });

  test('a file where the folder should be', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(await inspectFolder(join(file, 'data'))).toMatchObject({
      folder: file,
      isWritable: false,
    });
    await rm(file);
  });

  test('what is wrong with it', () => {
    expect(folderFindings(FINE)).toMatchObject([
      { level: 'ok', got: 'writable, 1024 MiB of room' },
    ]);
    expect(
      folderFindings({ ...FINE, isWritable: false, room: 2 ** 20, network: 'NFS' }),
    ).toMatchObject([
      { level: 'error', got: 'no permission to write' },
      { level: 'warning', got: '1 MiB' },
      { level: 'error', got: expect.stringContaining('NFS') },
    ]);
  });

  test('file systems of other machines', () => {
    expect([0x6969, 0xff534d42, 0xff534d42 | 0, 0xef53].map(networkFileSystem)).toEqual([
      'NFS',
      'CIFS',
      'CIFS',
      undefined,
    ]);
  });
});

describe('a Redis', () => {
  const FINE = {
    address: '127.0.0.1:6379',
    version: '7.2.4',
    role: 'master',
    appendOnly: true,
    appendFsync: 'always',
    evictionPolicy: 'noeviction',
    usedMemory: 2 ** 20,
    memoryLimit: 0,
  } as const;

  test('what is wrong with it', () => {
    expect(redisFindings(FINE)).toMatchObject([{ level: 'ok' }]);
    expect(
      redisFindings({ ...FINE, evictionPolicy: 'volatile-lru', memoryLimit: 2 ** 30 }),
    ).toMatchObject([{ level: 'ok', got: expect.stringContaining('1023 MiB left') }]);
    expect(
      redisFindings({ ...FINE, version: '5.0.14', role: 'slave', evictionPolicy: 'volatile-ttl' }),
    ).toMatchObject([
      { level: 'error', got: '5.0.14' },
      { level: 'error', got: 'a replica, which takes no writes' },
      { level: 'warning', got: 'maxmemory-policy volatile-ttl' },
    ]);
    expect(redisFindings({ ...FINE, appendFsync: 'everysec' })).toMatchObject([
      { level: 'warning', got: 'appendfsync everysec' },
    ]);
    // Nobody may ask it.
    expect(redisFindings({ ...FINE, appendFsync: undefined })).toMatchObject([{ level: 'ok' }]);
  });

  test('that is not there', async () => {
    await using site = await startSite();
    const redis = `redis://127.0.0.1:${await freePort()}`;
    const examined = await site.examine({ redis }, { timeout: 1_000 });
    expect(troubles(examined, 'ledger')).toMatchObject([
      { level: 'error', where: 'redis', got: expect.stringContaining('ECONNREFUSED') },
    ]);
  });

  const redisIsHere = hasRedis();
  describe.skipIf(!redisIsHere)(
    `for real${redisIsHere ? '' : ' (left out: no redis-server)'}`,
    () => {
      test('as it should be, and as it should not', async () => {
        const good = await startRedis();
        const bad = await startRedis({
          settings: [
            '--appendonly',
            'no',
            '--maxmemory',
            '1mb',
            '--maxmemory-policy',
            'allkeys-lru',
          ],
        });
        try {
          await using site = await startSite();
          const { host, port } = good;
          expect(findings(await site.examine({ redis: good.url }), 'ledger')).toEqual([
            {
              level: 'ok',
              where: `redis ${host}:${port}`,
              got: expect.stringMatching(
                /^version \d+\..*, master, append-only file, noeviction, no limit/,
              ),
            },
          ]);
          expect(troubles(await site.examine({ redis: bad.url }), 'ledger')).toMatchObject([
            { level: 'warning', got: 'appendonly no' },
            { level: 'error', got: 'maxmemory-policy allkeys-lru' },
            { level: 'warning', got: expect.stringMatching(/^\d+ MiB of 1 MiB$/) },
          ]);
        } finally {
          await Promise.all([good.stop(), bad.stop()]);
        }
      });
    },
  );
});
