import { join } from 'node:path';
import { snapshotSchema } from '@turnout/contracts';
import type { SnapshotStore } from '@turnout/router-core';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { createRedisSnapshotStore } from '@turnout/router-core/redis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { redisCli } from '../../../../test/kit/redis-cli.ts';
import { hasRedis, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../../test/kit/redis-server.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { temporaryFolders } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { createPublisher } from './publisher.ts';
import type { Publisher } from './publisher.ts';

const NOON = new Date('2026-03-04T12:00:00.000Z');
const folders = temporaryFolders();

async function openDatabase(): Promise<Repository> {
  const repository = await openRepository(
    { dataFolder: await folders.make(), mysqlUrl: undefined },
    { limit: 0, clock: () => 0, pause: async () => undefined, onRetry: () => undefined },
  );
  onTestFinished(() => repository.close());
  return repository;
}

/** One more experiment, stored past the publisher. */
async function store({ experiments }: Repository, key: string): Promise<void> {
  const { snapshot } = await experiments.live();
  const document = experimentDocument({ key });
  const done = await experiments.commit(
    snapshot,
    [{ key, revision: 1, document, author: 'a', reason: 'b', meaning: 'new-visitors', at: NOON }],
    [],
  );
  expect(done).toBe(snapshot + 1);
}

function publisherOf(repository: Repository, snapshots: SnapshotStore) {
  const told: string[] = [];
  const publisher: Publisher = createPublisher({
    repository: repository.experiments,
    store: snapshots,
    now: () => NOON,
    onFailure: () => told.push('failure'),
    onRecovery: () => told.push('recovery'),
  });
  onTestFinished(() => publisher.close());
  return { publisher, told };
}

/** Revision and keys of what is published. */
async function published(snapshots: SnapshotStore): Promise<[number, string[]] | undefined> {
  const text = await snapshots.latest();
  if (text === undefined) return undefined;
  const { revision, experiments } = snapshotSchema.parse(JSON.parse(text));
  return [revision, experiments.map(({ key }) => key)];
}

interface StoreKind {
  open(): Promise<SnapshotStore>;
}

async function setUp(kind: StoreKind) {
  const repository = await openDatabase();
  const snapshots = await kind.open();
  return { repository, snapshots, ...publisherOf(repository, snapshots) };
}

function describePublisher(name: string, kind: StoreKind): void {
  describe(`publishing to ${name}`, () => {
    test('publishes nothing before there is an experiment, then all of them', async () => {
      const { repository, snapshots, publisher } = await setUp(kind);
      await publisher.publish();
      expect(await published(snapshots)).toBeUndefined();
      expect(publisher.published()).toBeUndefined();
      await store(repository, 'b');
      await store(repository, 'a');
      await publisher.publish();
      expect(await published(snapshots)).toEqual([2, ['a', 'b']]);
      expect(publisher.published()).toEqual({ revision: 2, publishedAt: NOON.toISOString() });
    });

    test('publishes again what is lost or written over', async () => {
      const { repository, snapshots, publisher } = await setUp(kind);
      await store(repository, 'a');
      await publisher.publish();
      await snapshots.publish('not a snapshot');
      await publisher.publish();
      expect(await published(snapshots)).toEqual([1, ['a']]);
    });

    test('knows what another process has published, and leaves it as it is', async () => {
      const { repository, snapshots, publisher } = await setUp(kind);
      await store(repository, 'a');
      await publisher.publish();
      const text = await snapshots.latest();
      const other = publisherOf(repository, snapshots).publisher;
      await other.publish();
      expect(other.published()).toEqual(publisher.published());
      expect(await snapshots.latest()).toBe(text);
    });

    test('goes above the number of what another database has published: edges take no older one', async () => {
      const { repository, snapshots, publisher } = await setUp(kind);
      const earlier = await openDatabase();
      for (const key of ['x', 'y', 'z']) await store(earlier, key);
      await publisherOf(earlier, snapshots).publisher.publish();
      await store(repository, 'a');
      await publisher.publish();
      expect(await published(snapshots)).toEqual([4, ['a']]);
      expect((await repository.experiments.live()).snapshot).toBe(4);
    });

    test('what a slower process covers with an older one is brought back at once', async () => {
      const { repository, snapshots, publisher } = await setUp(kind);
      const arrived = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      let publications = 0;
      const slow: SnapshotStore = {
        ...snapshots,
        async publish(text) {
          arrived.resolve();
          if (publications++ === 0) await goOn.promise;
          await snapshots.publish(text);
        },
      };
      const other = publisherOf(repository, slow).publisher;
      await store(repository, 'a');
      const late = other.publish();
      await arrived.promise;
      await store(repository, 'b');
      await publisher.publish();
      expect(await published(snapshots)).toEqual([2, ['a', 'b']]);
      goOn.resolve();
      await late;
      expect(await published(snapshots)).toEqual([2, ['a', 'b']]);
    });

    test('many at once end with what stands', async () => {
      const { repository, snapshots, publisher } = await setUp(kind);
      const other = publisherOf(repository, snapshots).publisher;
      for (const key of ['a', 'b', 'c', 'd']) {
        await store(repository, key);
        void publisher.publish();
        void other.publish();
      }
      await Promise.all([publisher.publish(), other.publish()]);
      await publisher.publish();
      expect(await published(snapshots)).toEqual([4, ['a', 'b', 'c', 'd']]);
    });
  });
}

describePublisher('the embedded store', {
  async open() {
    const file = join(await folders.make(), 'experiments.sqlite');
    const snapshots = createEmbeddedSnapshotStore({ file });
    onTestFinished(() => snapshots.close());
    return snapshots;
  },
});

describe.runIf(hasRedis())('with Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    await server.stop();
  });

  /** A client that is connected: until then its calls reject. */
  async function connected(): Promise<SnapshotStore> {
    const snapshots = createRedisSnapshotStore({ url: server.url });
    onTestFinished(() => snapshots.close());
    await expect
      .poll(() =>
        snapshots.latest().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    return snapshots;
  }

  describePublisher('Redis', {
    async open() {
      redisCli(server, 'FLUSHALL');
      return connected();
    },
  });

  test('a store that hangs fails no change, and holds it up for a second at most', async () => {
    redisCli(server, 'FLUSHALL');
    const repository = await openDatabase();
    const snapshots = await connected();
    const { publisher, told } = publisherOf(repository, snapshots);
    await store(repository, 'a');
    server.pause();
    onTestFinished(() => server.resume());
    await publisher.publish();
    expect(publisher.published()).toBeUndefined();
    await expect.poll(() => told).toEqual(['failure']);
    server.resume();
    publisher.start();
    await expect.poll(() => published(snapshots).catch(() => undefined)).toEqual([1, ['a']]);
    await expect.poll(() => told).toEqual(['failure', 'recovery']);
  });

  test('what FLUSHALL takes is there again after a few seconds', async () => {
    redisCli(server, 'FLUSHALL');
    const repository = await openDatabase();
    const snapshots = await connected();
    const { publisher } = publisherOf(repository, snapshots);
    await store(repository, 'a');
    publisher.start();
    await expect.poll(() => published(snapshots)).toEqual([1, ['a']]);
    redisCli(server, 'FLUSHALL');
    await expect.poll(() => published(snapshots)).toEqual([1, ['a']]);
  });
});
