import { expect, onTestFinished, test } from 'vitest';
import type { ExperimentDocument } from '@turnout/contracts';
import { openRepository } from '../repository/open-repository.ts';
import { embeddedDatabases } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { StaleRevision, TooManyChanges } from './change-errors.ts';
import type { Edit } from './edit.ts';
import { createExperiments } from './experiments.ts';

const databases = embeddedDatabases();
const LIMIT = 100;

/** Experiments in a database that stores nothing until it is let go. */
async function setUp() {
  const repository = await openRepository(await databases.fresh(), {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  onTestFinished(() => repository.close());
  let gate = Promise.resolve();
  const experiments = createExperiments({
    repository: {
      ...repository.experiments,
      commit: async (...args) => {
        await gate;
        return repository.experiments.commit(...args);
      },
    },
    upstreams: undefined,
    countVisitors: async () => 0,
    publisher: { published: () => undefined, publish: async () => undefined },
    now: () => new Date('2026-05-06T07:08:09.010Z'),
  });
  const change = (edit: Edit, isUrgent = false) =>
    experiments.change({
      edits: [edit],
      author: 'ada',
      reason: 'test',
      meaning: 'new-visitors',
      dryRun: false,
      isUrgent,
    });
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  const place = (document: ExperimentDocument, from?: number) =>
    change({ kind: 'place', key: document.key, at: [], document, from });
  const stop = (key: string, status: 'killed' | 'paused') =>
    change({ kind: 'alter', key, at: [], alter: (before) => ({ ...before, status }) }, true);
  return { experiments, place, stop, hold };
}

test('a kill and a pause are made next, however many changes wait', async () => {
  const { experiments, place, stop, hold } = await setUp();
  const home = experimentDocument({ key: 'home', status: 'running' });
  const plans = experimentDocument({ key: 'plans', status: 'running' });
  await place(home);
  await place(plans);
  const letGo = hold();
  const waiting = Array.from({ length: LIMIT + 1 }, (_, index) =>
    place(experimentDocument({ key: `other-${index}`, status: 'draft' })),
  );
  await expect(place(experimentDocument({ key: 'one-more' }))).rejects.toThrow(TooManyChanges);
  const kill = stop('home', 'killed');
  const pause = stop('plans', 'paused');
  letGo();
  const [[killed], [paused]] = await Promise.all([kill, pause]);
  expect(killed?.experiment).toMatchObject({ revision: 2, document: { status: 'killed' } });
  expect(paused?.experiment).toMatchObject({ revision: 2, document: { status: 'paused' } });
  // Only what was under way came before: its snapshot is 3, theirs are 4 and 5.
  expect([killed?.published.revision, paused?.published.revision]).toEqual([4, 5]);
  await Promise.all(waiting);
  expect((await experiments.get('home')).document.status).toBe('killed');
});

test('what waited before a kill, and names no revision, does not take it back', async () => {
  const { experiments, place, stop, hold } = await setUp();
  const home = experimentDocument({ key: 'home', status: 'running' });
  await place(home);
  const letGo = hold();
  const under = place(experimentDocument({ key: 'other', status: 'draft' }));
  const before = place({ ...home, title: 'Home' }).catch((error: unknown) => error);
  const kill = stop('home', 'killed');
  letGo();
  await Promise.all([under, kill]);
  expect(await before).toBeInstanceOf(StaleRevision);
  expect((await experiments.get('home')).document.status).toBe('killed');
  // Who asks after it has seen it, or could have.
  await place({ ...home, title: 'Home' });
  expect((await experiments.get('home')).document.status).toBe('running');
});
