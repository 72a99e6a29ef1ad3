import { expect, test } from 'vitest';
import { until } from '../../../test/kit/until.ts';
import type { HeldExperiment, HeldSnapshot } from './held-snapshot.ts';
import { SnapshotFeed } from './snapshot-feed.ts';

function held(key: string, text = key): HeldExperiment {
  return { key, phase: 1, variants: ['control'], text };
}

function snapshot(revision: number, ...experiments: HeldExperiment[]): HeldSnapshot {
  return { revision, publishedAt: revision, experiments };
}

/** A feed, and what it has sent: texts of experiments, and revisions with their keys. */
function feeding() {
  const sent: string[] = [];
  const feed = new SnapshotFeed(async (message) => {
    sent.push(
      message.kind === 'experiments'
        ? message.texts.map((text) => text.slice(0, 9)).join(' ')
        : `${message.revision}: ${message.keys.join(' ')}`,
    );
  });
  /** What it sends next, up to what this snapshot consists of. */
  const upTo = async (revision: number): Promise<string[]> => {
    await until(
      `revision ${revision}`,
      () => sent.at(-1) ?? '',
      (last) => last.startsWith(`${revision}: `),
    );
    return sent.splice(0);
  };
  return { feed, upTo };
}

test('a new worker gets all, then what changes', async () => {
  const { feed, upTo } = feeding();
  const [a, b, c] = [held('a'), held('b'), held('c')];
  feed.offer(snapshot(1, a, b, c));
  expect(await upTo(1)).toEqual(['a b c', '1: a b c']);
  feed.answered(true);
  feed.offer(snapshot(2, c, held('b', 'b2'), held('d')));
  expect(await upTo(2)).toEqual(['b2 d', '2: c b d']);
  feed.answered(true);
  feed.offer(snapshot(3, c));
  expect(await upTo(3)).toEqual(['3: c']);
});

test('much is sent in parts, in order, each experiment once', async () => {
  const { feed, upTo } = feeding();
  const all = Array.from({ length: 50 }, (_, at) => held(`e${at}`, `e${at} `.padEnd(10_000, '-')));
  feed.offer(snapshot(1, ...all));
  const sent = await upTo(1);
  expect(sent.length).toBeGreaterThan(5);
  const keys = sent.slice(0, -1).flatMap((part) => part.match(/e\d+/g) ?? []);
  expect(keys).toEqual(all.map(({ key }) => key));
});

test('a slow worker gets the newest next, whatever came between', async () => {
  const { feed, upTo } = feeding();
  const a = held('a');
  feed.offer(snapshot(1, a));
  expect(await upTo(1)).toEqual(['a', '1: a']);
  for (const revision of [2, 3, 4]) feed.offer(snapshot(revision, a, held('b', `b${revision}`)));
  feed.answered(true);
  expect(await upTo(4)).toEqual(['b4', '4: a b']);
});

test('what comes while parts are sent is sent with them', async () => {
  const { feed, upTo } = feeding();
  const all = Array.from({ length: 20 }, (_, at) => held(`e${at}`, `e${at} `.padEnd(50_000, '-')));
  feed.offer(snapshot(1, ...all));
  feed.offer(snapshot(2, held('e0', 'killed'), ...all.slice(1)));
  const sent = await upTo(2);
  expect(sent.filter((told) => /^\d+: /.test(told))).toHaveLength(1);
  expect(sent.findIndex((part) => part.startsWith('killed'))).toBeGreaterThan(0);
});

test('a worker that can not use a snapshot is sent what it then lacks', async () => {
  const { feed, upTo } = feeding();
  const [a, b] = [held('a'), held('b')];
  feed.offer(snapshot(1, a));
  expect(await upTo(1)).toEqual(['a', '1: a']);
  feed.answered(true);
  feed.offer(snapshot(2, a, b));
  expect(await upTo(2)).toEqual(['b', '2: a b']);
  feed.answered(false);
  feed.offer(snapshot(3, a, b, held('c')));
  expect(await upTo(3)).toEqual(['b c', '3: a b c']);
});
