import { expect, onTestFinished, test } from 'vitest';
import { openRepository } from '../repository/open-repository.ts';
import { embeddedDatabases } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { createExperiments } from './experiments.ts';

const databases = embeddedDatabases();

test('a history of large documents comes by pages, each revision once, with its difference', async () => {
  const repository = await openRepository(await databases.fresh(), {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  onTestFinished(() => repository.close());
  const experiments = createExperiments({
    repository: repository.experiments,
    upstreams: undefined,
    countVisitors: async () => 0,
    publisher: { published: () => undefined, publish: async () => undefined },
    now: () => new Date('2026-05-06T07:08:09.010Z'),
  });
  const paths = Array.from({ length: 6_000 }, (_, index) => `/${'x'.repeat(100)}/${index}`);
  for (let number = 1; number <= 9; number++) {
    const document = experimentDocument({ title: `Number ${number}`, scope: { paths } });
    await experiments.change({
      edits: [{ kind: 'place', key: 'home', at: [], document }],
      author: 'ada',
      reason: 'test',
      meaning: 'new-visitors',
      dryRun: false,
    });
  }
  const pages: number[][] = [];
  const differences: (readonly unknown[])[] = [];
  for (let before: number | undefined; before !== 1;) {
    const { revisions } = await experiments.history('home', { limit: 1_000, before });
    pages.push(revisions.map(({ revision }) => revision));
    differences.push(...revisions.map(({ diff }) => diff));
    before = revisions.at(-1)?.revision ?? 1;
  }
  // Each has some 650,000 bytes: three fit, and of those the oldest is read for
  // the difference only.
  expect(pages).toEqual([
    [9, 8],
    [7, 6],
    [5, 4],
    [3, 2, 1],
  ]);
  expect(differences.slice(0, 8)).toEqual(
    Array.from({ length: 8 }, (_, index) => [
      { path: ['title'], before: `Number ${8 - index}`, after: `Number ${9 - index}` },
    ]),
  );
  expect(differences[8]).toEqual([]);
});
