import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSnapshotReader } from '@turnout/contracts';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configProblems } from './config-problems.ts';
import { createLastGood } from './last-good.ts';
import { SnapshotFollower, type FromFollower } from './snapshot-follower.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-follower-'));
});
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  rmSync(folder, { recursive: true, force: true });
});

function experiment(key: string, more: Readonly<Record<string, unknown>> = {}) {
  const variants = [{ key: 'control', upstream: 'site', weight: 100, control: true }];
  return { key, status: 'running', variants, ...more };
}

function snapshot(revision: number, publishedAt: number, ...experiments: readonly unknown[]) {
  return JSON.stringify({ format: 1, revision, publishedAt, experiments });
}

/** A follower of this folder, begun, and what it has told. */
async function begin(upstreams = ['site']) {
  const store = createEmbeddedSnapshotStore({ file: join(folder, 'experiments.sqlite') });
  const told: FromFollower[] = [];
  const follower = new SnapshotFollower({
    store,
    lastGood: createLastGood(folder, 'embedded'),
    read: createSnapshotReader(upstreams, configProblems),
    present: { revision: 0, publishedAt: 0, experiments: [] },
    tell: (message) => void told.push(message),
  });
  ending.push(() => follower.close());
  await follower.begin();
  const snapshots = () =>
    told.flatMap((message) =>
      message.kind === 'snapshot'
        ? [
            `${message.revision}: ${message.experiments.map((one) => (typeof one === 'string' ? one : `${one.key} anew`)).join(', ')}`,
          ]
        : [],
    );
  return { store, follower, told, snapshots };
}

test('each change is told once, with what has changed alone', async () => {
  const { store, follower, snapshots } = await begin();
  follower.follow();
  await store.publish(snapshot(1, 1, experiment('a'), experiment('b')));
  await store.publish(snapshot(2, 2, experiment('a'), experiment('b', { revision: 2 })));
  await store.publish(snapshot(3, 3, experiment('b', { revision: 2 })));
  await store.publish(snapshot(2, 2, experiment('a')));
  expect(snapshots()).toEqual(['0: ', '1: a anew, b anew', '2: a, b anew', '3: b']);
});

test('numbers that begin anew count when they are published later', async () => {
  const { store, follower, snapshots } = await begin();
  follower.follow();
  await store.publish(snapshot(9, 1_000, experiment('a')));
  await store.publish(snapshot(1, 900, experiment('a')));
  await store.publish(snapshot(1, 2_000, experiment('a')));
  expect(snapshots()).toEqual(['0: ', '9: a anew', '1: a']);
});

test('a start takes the newer of what is published and what is on disk', async () => {
  const first = await begin();
  first.follower.follow();
  await first.store.publish(snapshot(5, 5, experiment('a')));
  await first.follower.close();
  const { store, snapshots } = await begin();
  expect(snapshots()).toEqual(['5: a anew']);
  await store.publish(snapshot(4, 4, experiment('older')));
  expect((await begin()).snapshots()).toEqual(['5: a anew']);
});

test('what is on disk is what decided: a start with less in the store goes on by it', async () => {
  const first = await begin();
  first.follower.follow();
  await first.store.publish(snapshot(1, 1, experiment('a')));
  const lacking = experiment('a', {
    revision: 2,
    variants: [{ ...experiment('a').variants[0], upstream: 'new' }],
  });
  await first.store.publish(snapshot(2, 2, lacking));
  expect(first.told.at(-1)).toMatchObject({
    revision: 2,
    experiments: ['a'],
    shortfalls: [{ experiment: 'a', outcome: 'as-before' }],
  });
  await first.follower.close();
  const again = await begin();
  expect(again.told.at(-1)).toMatchObject({ revision: 2, experiments: [{ key: 'a' }] });
  expect(JSON.stringify(again.told)).toContain('"revision\\":1');
  // Once the configuration has the upstream, the same publication can be used whole.
  await again.follower.close();
  const mended = await begin(['site', 'new']);
  expect(mended.told.at(-1)).toMatchObject({ revision: 2, shortfalls: [] });
  expect(JSON.stringify(mended.told)).toContain('"revision\\":2');
});

test('a disk or a store that says nonsense keeps nobody from the start', async () => {
  writeFileSync(join(folder, 'experiments.json'), '{');
  const { store, told, follower } = await begin();
  expect(told).toMatchObject([{ kind: 'refused' }, { kind: 'snapshot', revision: 0 }]);
  follower.follow();
  await store.publish('nonsense');
  await store.publish(snapshot(1, 1, experiment('a')));
  expect(told.slice(2)).toMatchObject([{ kind: 'refused' }, { kind: 'snapshot', revision: 1 }]);
});
