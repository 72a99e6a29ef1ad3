import { isDeepStrictEqual } from 'node:util';
import { snapshotSchema } from '@turnout/contracts';
import type { Snapshot } from '@turnout/contracts';
import type { PublishedSnapshot } from '@turnout/contracts/management';
import type { SnapshotStore } from '@turnout/router-core';
import type { ExperimentRepository, LiveExperiments } from '../repository/experiment-repository.ts';
import { withinTime } from '../repository/time-limit.ts';

/** Brings what stands in the database to where all edges follow it. */
export interface Publisher {
  /** What was published last, as far as this process knows; undefined: nothing yet. */
  published(): PublishedSnapshot | undefined;
  /** Publishes what stands. Resolves when it is done, or could not be done soon; never rejects. */
  publish(): Promise<void>;
  /** Publishes from now on what is not yet, and again what is lost. */
  start(): void;
  /** Ends, after what it does at the moment. */
  close(): Promise<void>;
}

export interface PublisherOptions {
  readonly repository: Pick<ExperimentRepository, 'live' | 'raise'>;
  readonly store: SnapshotStore;
  readonly now: () => Date;
  /** Told when publishing begins to fail, and once it works again. */
  readonly onFailure: (error: unknown) => void;
  readonly onRecovery: () => void;
}

/** How long a change waits for its publication, in milliseconds. */
const PATIENCE = 1_000;
/** Milliseconds until the next look: while something is not published, and when all is well. */
const SOON = 1_000;
const LATER = 3_000;

export function createPublisher(options: PublisherOptions): Publisher {
  const { repository, store, now, onFailure, onRecovery } = options;
  let published: PublishedSnapshot | undefined;
  /** What the store held when it was looked at last, if that was what stood. */
  let knownText: string | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let isFailing = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** Sees to it that what is published is what stands. */
  async function bringUp(): Promise<void> {
    // In this order: what is published was stored before, so the database can't be behind,
    // unless it is another one, or was put back from a backup.
    const text = await store.latest();
    const live = await repository.live();
    if (live.snapshot === 0) return;
    if (text !== undefined && text === knownText && published?.revision === live.snapshot) return;
    const latest = readSnapshot(text);
    if (latest !== undefined && isWhatStands(latest, live)) {
      remember(latest, text);
      return;
    }
    // Edges take a snapshot for older news unless its number is above the one that they have.
    const isAhead = latest !== undefined && latest.revision >= live.snapshot;
    if (isAhead && !(await repository.raise(live.snapshot, latest.revision + 1))) {
      return bringUp();
    }
    const snapshot = snapshotOf(isAhead ? await repository.live() : live, now());
    const newText = JSON.stringify(snapshot);
    await store.publish(newText);
    remember(snapshot, newText);
    // Another process may have published a later one meanwhile, which this one has covered.
    if ((await repository.live()).snapshot !== snapshot.revision) return bringUp();
  }

  function remember(
    { revision, publishedAt }: Pick<Snapshot, 'revision' | 'publishedAt'>,
    text: string | undefined,
  ): void {
    published = { revision, publishedAt: new Date(publishedAt).toISOString() };
    knownText = text;
  }

  async function attempt(): Promise<void> {
    try {
      await bringUp();
      if (isFailing) onRecovery();
      isFailing = false;
    } catch (error) {
      if (!isFailing) onFailure(error);
      isFailing = true;
    }
  }

  /** One at a time. Who comes while one runs gets the next: the present one may not see their change. */
  function run(): Promise<void> {
    if (running === undefined) {
      running = attempt().finally(() => (running = undefined));
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      return run();
    });
    return next;
  }

  function wait(): void {
    if (isClosed) return;
    timer = setTimeout(() => void run().then(wait), isFailing ? SOON : LATER);
  }

  return {
    published: () => published,
    // It goes on when the patience ends.
    publish: () => withinTime(run(), PATIENCE).catch(() => undefined),
    start: () => void run().then(wait),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await (next ?? running);
    },
  };
}

/** A text of ours; undefined for what nobody can read. */
function readSnapshot(text: string | undefined): Snapshot | undefined {
  if (text === undefined) return undefined;
  try {
    return snapshotSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isWhatStands(latest: Snapshot, live: LiveExperiments): boolean {
  return (
    latest.revision === live.snapshot && isDeepStrictEqual(latest.experiments, documentsOf(live))
  );
}

function snapshotOf(live: LiveExperiments, at: Date): Snapshot {
  return {
    format: 1,
    revision: live.snapshot,
    publishedAt: at.getTime(),
    experiments: documentsOf(live),
  };
}

/** What edges need: nobody decides by what was put away. */
function documentsOf({ experiments }: LiveExperiments): Snapshot['experiments'] {
  return [...experiments.values()]
    .filter(({ document }) => document.status !== 'archived')
    .map(({ document }) => document);
}
