import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotSchema } from '@turnout/contracts';
import type { Change, ExperimentList, ExperimentRecord } from '@turnout/contracts/management';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { redisCli } from '../../../../test/kit/redis-cli.ts';
import { hasRedis, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../../test/kit/redis-server.ts';
import { openStores } from '../publication/open-stores.ts';
import { startApi } from '../testing/api-process.ts';
import { describeDatabases, temporaryFolders } from '../testing/databases.ts';
import type { RepositoryLocation } from '../repository/open-repository.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { TOKEN_ENVIRONMENT, manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

const folders = temporaryFolders();

/** Writes a turnout.yaml with these seeds, and names it and the rest to the API. */
async function environmentWith(
  { dataFolder, mysqlUrl }: RepositoryLocation,
  config: Readonly<Record<string, unknown>>,
) {
  const file = join(dataFolder, 'turnout.yaml');
  const upstreams = {
    wordpress: { url: 'http://127.0.0.1:4003' },
    next: { url: 'http://127.0.0.1:4001' },
  };
  await writeFile(file, stringify({ upstreams, default: 'wordpress', ...config }));
  return {
    ...TOKEN_ENVIRONMENT,
    TURNOUT_CONFIG: file,
    TURNOUT_DATA_DIR: dataFolder,
    TURNOUT_MYSQL_URL: mysqlUrl,
  };
}

const list = async (url: string) =>
  (await manage<ExperimentList>(url, 'GET /experiments')).body.experiments;

describeDatabases('experiments of turnout.yaml', (kind) => {
  test('seed an empty database once, whichever of three processes is first', async () => {
    const experiments = [experimentDocument(), experimentDocument({ key: 'second' })];
    const environment = await environmentWith(await kind.fresh(), { experiments });
    const urls = Array.from({ length: 3 }, () => startApi(environment).url);
    for (const url of urls) {
      const records = await list(await url);
      expect(
        records.map(({ key, revision, author, reason }) => [key, revision, author, reason]),
      ).toEqual([
        ['home', 1, 'turnout.yaml', 'seed'],
        ['second', 1, 'turnout.yaml', 'seed'],
      ]);
    }
  }, 60_000);

  test('leave alone what is there; the log says what differs, and how to apply it', async () => {
    const location = await kind.fresh();
    const first = startApi(
      await environmentWith(location, { experiments: [experimentDocument()] }),
    );
    const url = await first.url;
    await manage(url, 'POST /experiments/home/allocation', {
      weights: { control: 10, A: 90 },
      revision: 1,
      reason: 'live',
    });
    first.kill('SIGTERM');
    await first.ended;

    const experiments = [experimentDocument(), experimentDocument({ key: 'second' })];
    const again = startApi(await environmentWith(location, { experiments }));
    const records = await list(await again.url);
    expect(
      records.map(({ key, revision, document }) => [key, revision, document.variants[0]?.weight]),
    ).toEqual([
      ['home', 2, 10],
      ['second', 1, 50],
    ]);
    await again.logged(/differs from what is live.* turnout apply -f turnout\.yaml/);
    expect(again.lines.find((line) => line.includes('differs'))).toContain(
      '"experiments":["home"]',
    );
  });
});

test('seeds that do not fit what is live are told, and the API runs', async () => {
  const location = { dataFolder: await folders.make(), mysqlUrl: undefined };
  const layer = { name: 'site', slots: [0, 6000] };
  const first = startApi(
    await environmentWith(location, { experiments: [experimentDocument({ layer })] }),
  );
  await first.url;
  first.kill('SIGTERM');
  await first.ended;
  const experiments = [experimentDocument({ key: 'second', layer })];
  const again = startApi(await environmentWith(location, { experiments }));
  expect(await list(await again.url)).toHaveLength(1);
  await again.logged(/can not be created beside those that are live/);
  expect(again.lines.join('\n')).toContain('share the slots [0, 6000)');
});

test('experiments that the configuration can not serve any more are told', async () => {
  const location = { dataFolder: await folders.make(), mysqlUrl: undefined };
  const first = startApi(await environmentWith(location, { experiments: [experimentDocument()] }));
  await first.url;
  first.kill('SIGTERM');
  await first.ended;
  const upstreams = { wordpress: { url: 'http://127.0.0.1:4003' } };
  const again = startApi(await environmentWith(location, { upstreams }));
  await again.logged(/can not use the experiments as they stand/);
  expect(again.lines.join('\n')).toContain(
    'home.variants[1].upstream: no upstream \\"next\\"; there are: wordpress',
  );
  // A kill is for when something is gone.
  const change = { status: 'killed', reason: 'next is gone' };
  const killed = await manage<Change>(await again.url, 'POST /experiments/home/status', change);
  expect([killed.status, killed.body.action]).toEqual([200, 'change']);
});

test('without a configuration any upstream will do, and links have no address', async () => {
  const TURNOUT_CONFIG = join(await folders.make(), 'none.yaml');
  const url = await startApi({ ...TOKEN_ENVIRONMENT, TURNOUT_CONFIG }).url;
  expect(await list(url)).toEqual([]);
  const document = experimentDocument({
    variants: [{ key: 'control', upstream: 'anything', weight: 100, control: true }],
  });
  expect((await manage<Change>(url, 'POST /experiments', { document, reason: 'x' })).status).toBe(
    201,
  );
  const { status, body } = await manage<ManagementProblem>(url, 'POST /experiments/home/preview', {
    variant: 'control',
  });
  expect([status, body.detail]).toEqual([
    503,
    expect.stringContaining('Set public.url in turnout.yaml'),
  ]);
});

test('a configuration that can not be used ends the start with its problems', async () => {
  const location = { dataFolder: await folders.make(), mysqlUrl: undefined };
  const api = startApi(await environmentWith(location, { default: 'nowhere' }));
  const { code, messages } = await api.ended;
  expect(code).toBe(1);
  expect(messages.join()).toMatch(/turnout\.yaml:\d+:\d+: default: no upstream "nowhere"/);
});

test('api.json says where the API is, for as long as it is there', async () => {
  const TURNOUT_DATA_DIR = await folders.make();
  const file = join(TURNOUT_DATA_DIR, 'api.json');
  const api = startApi({ TURNOUT_DATA_DIR });
  const url = await api.url;
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ url });
  // One that takes over is not taken away by the end of the one before.
  const other = startApi({ TURNOUT_DATA_DIR });
  const otherUrl = await other.url;
  api.kill('SIGTERM');
  await api.ended;
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ url: otherUrl });
  other.kill('SIGTERM');
  await other.ended;
  expect(existsSync(file)).toBe(false);
});

describe.runIf(hasRedis())('with a Redis that comes and goes', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  function published(): { revision: number; weights: (number | undefined)[] } | undefined {
    const text = redisCli(server, 'GET', 'turnout:experiments');
    if (text === '') return undefined;
    const { revision, experiments } = snapshotSchema.parse(JSON.parse(text));
    return { revision, weights: experiments.map(({ variants }) => variants[0]?.weight) };
  }

  test('kill -9 between a change and its publication: the next start publishes it', async () => {
    const location = { dataFolder: await folders.make(), mysqlUrl: undefined };
    const environment = {
      ...(await environmentWith(location, { experiments: [experimentDocument()] })),
      TURNOUT_REDIS_URL: server.url,
    };
    const api = startApi(environment);
    const url = await api.url;
    await expect.poll(published).toEqual({ revision: 1, weights: [50] });

    server.pause();
    onTestFinished(() => server.resume());
    const { status, body } = await manage<Change>(url, 'POST /experiments/home/allocation', {
      weights: { control: 40, A: 60 },
      revision: 1,
      reason: 'unseen',
    });
    expect([status, body.published]).toEqual([200, { revision: 2 }]);
    expect((await manage<ExperimentList>(url, 'GET /experiments')).body.published).toEqual({
      revision: 2,
    });
    api.kill('SIGKILL');
    await api.ended;
    server.resume();
    expect(published()).toEqual({ revision: 1, weights: [50] });

    const again = startApi(environment);
    const record = await manage<ExperimentRecord>(await again.url, 'GET /experiments/home');
    expect(record.body.revision).toBe(2);
    await expect.poll(published).toEqual({ revision: 2, weights: [40] });
    await expect
      .poll(async () => (await manage<ExperimentList>(await again.url, 'GET /experiments')).body)
      .toMatchObject({ published: { revision: 2, publishedAt: expect.any(String) } });

    redisCli(server, 'FLUSHALL');
    await expect.poll(published).toEqual({ revision: 2, weights: [40] });
  });

  test('a Redis that is not there at the start holds nothing up', async () => {
    const location = { dataFolder: await folders.make(), mysqlUrl: undefined };
    redisCli(server, 'FLUSHALL');
    await server.kill();
    const api = startApi({
      ...(await environmentWith(location, { experiments: [experimentDocument()] })),
      TURNOUT_REDIS_URL: server.url,
    });
    expect(await list(await api.url)).toHaveLength(1);
    await api.logged(/can not be published: edges keep what they have/);
    await server.restart();
    await expect.poll(published).toMatchObject({ weights: [50] });
    await api.logged(/are published again/);
    api.kill('SIGTERM');
    expect(await api.ended).toMatchObject({ code: 0 });
  });

  test('the API ends within 5 s although Redis hangs', async () => {
    const location = { dataFolder: await folders.make(), mysqlUrl: undefined };
    const api = startApi({
      ...(await environmentWith(location, { experiments: [experimentDocument()] })),
      TURNOUT_REDIS_URL: server.url,
    });
    const url = await api.url;
    server.pause();
    onTestFinished(() => server.resume());
    await manage(url, 'POST /experiments/home/status', { status: 'paused', reason: 'x' });
    const started = performance.now();
    api.kill('SIGTERM');
    expect(await api.ended).toMatchObject({ code: 0 });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

test('edges of this machine find the experiments in the data folder', async () => {
  const dataFolder = await folders.make();
  const url = await startApi({ ...TOKEN_ENVIRONMENT, TURNOUT_DATA_DIR: dataFolder }).url;
  const stores = openStores(undefined, dataFolder);
  onTestFinished(() => stores.close());
  const heard: number[] = [];
  stores.snapshots.follow((text) => heard.push(snapshotSchema.parse(JSON.parse(text)).revision));
  await expect.poll(() => heard).toEqual([1]);
  await manage(url, 'POST /experiments/home-redesign/status', { status: 'killed', reason: 'x' });
  await expect.poll(() => heard).toEqual([1, 2]);
});
