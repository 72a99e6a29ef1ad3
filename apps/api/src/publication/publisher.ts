import { isDeepStrictEqual } from 'node:util';
import { snapshotSchema } from '@turnout/contracts';
import type { ExperimentDocument, Snapshot } from '@turnout/contracts';
import type { PublishedSnapshot } from '@turnout/contracts/management';
import type { SnapshotStore } from '@turnout/router-core';
import { createTimeSlices } from '@turnout/router-core';
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
/** How long documents are written before other work gets its turn, in ms. */
const SLICE = 10;

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
    const latest = text === undefined ? undefined : readHead(text);
    if (latest !== undefined && (await isWhatStands(latest, live))) {
      remember(latest, text);
      return;
    }
    // Edges take a snapshot for older news unless its number is above the one that they have.
    const isAhead = latest !== undefined && latest.revision >= live.snapshot;
    if (isAhead && !(await repository.raise(live.snapshot, latest.revision + 1))) {
      return bringUp();
    }
    const standing = isAhead ? await repository.live() : live;
    const snapshot = { revision: standing.snapshot, publishedAt: now().getTime() };
    const newText = await textOf(standing, snapshot.publishedAt);
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

/** What a published text says of itself, before its experiments. */
interface Head extends Pick<Snapshot, 'revision' | 'publishedAt'> {
  readonly text: string;
}

/** As `textOf` writes it. */
const HEAD = /^\{"format":1,"revision":(\d+),"publishedAt":(\d+),"experiments":\[/;

/** Undefined for what nobody can read. */
function readHead(text: string): Head | undefined {
  const [, revision, publishedAt] = HEAD.exec(text) ?? [];
  const head = { revision: Number(revision), publishedAt: Number(publishedAt), text };
  if (revision !== undefined) return head;
  const read = readSnapshot(text);
  return read && { revision: read.revision, publishedAt: read.publishedAt, text };
}

function readSnapshot(text: string): Snapshot | undefined {
  try {
    return snapshotSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function isWhatStands(
  { revision, publishedAt, text }: Head,
  live: LiveExperiments,
): Promise<boolean> {
  if (revision !== live.snapshot) return false;
  if (text === (await textOf(live, publishedAt))) return true;
  // Another version may write the same documents otherwise.
  return isDeepStrictEqual(readSnapshot(text)?.experiments, documentsOf(live));
}

/** Of documents that were written before, so that a change writes only what it changes. */
const written = new WeakMap<ExperimentDocument, string>();

/** The snapshot as it is published. */
async function textOf(live: LiveExperiments, publishedAt: number): Promise<string> {
  const slice = createTimeSlices(SLICE);
  const texts: string[] = [];
  for (const document of documentsOf(live)) {
    const text = written.get(document) ?? JSON.stringify(document);
    written.set(document, text);
    texts.push(text);
    await slice();
  }
  return `{"format":1,"revision":${live.snapshot},"publishedAt":${publishedAt},"experiments":[${texts.join(',')}]}`;
}

/** What edges need: nobody decides by what was put away. */
function documentsOf({ experiments }: LiveExperiments): Snapshot['experiments'] {
  return [...experiments.values()]
    .filter(({ document }) => document.status !== 'archived')
    .map(({ document }) => document);
}
