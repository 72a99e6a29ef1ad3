import {
  SnapshotError,
  type ReadSnapshot,
  type Shortfall,
  type SnapshotReading,
  type UsableExperiment,
} from '@turnout/contracts';
import type { SnapshotStore } from '@turnout/router-core';
import { heldExperiment, type HeldExperiment } from './held-snapshot.ts';
import type { LastGood } from './last-good.ts';

/** How long a start waits for the store before it goes by what is on disk, in ms. */
const FIRST_WAIT = 2_000;

/** What a follower tells of what is published. */
export type FromFollower =
  | {
      /** What to decide by from now on. */
      readonly kind: 'snapshot';
      readonly revision: number;
      readonly publishedAt: number;
      /** In order: the key alone of one that stands as in the snapshot told before. */
      readonly experiments: readonly (string | HeldExperiment)[];
      readonly shortfalls: readonly Shortfall[];
    }
  /** Nothing of what is published can be used. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  | { readonly kind: 'trouble'; readonly message: string; readonly reason: string };

export interface SnapshotFollowerOptions {
  readonly store: SnapshotStore;
  readonly lastGood: LastGood;
  readonly read: ReadSnapshot;
  /** What counts until something else is found. */
  readonly present: Pick<SnapshotReading, 'revision' | 'publishedAt' | 'experiments'>;
  readonly tell: (message: FromFollower) => void;
}

/** Follows what is published, and tells what to decide by. */
export class SnapshotFollower {
  readonly #options: SnapshotFollowerOptions;
  #following: { close(): void } | undefined;
  #present: SnapshotReading;
  /** What was told last. */
  #told: ReadonlySet<UsableExperiment> = new Set();

  constructor(options: SnapshotFollowerOptions) {
    this.#options = options;
    this.#present = { ...options.present, shortfalls: [] };
  }

  /** Takes the newer of what is published and what is on disk, if there is any; and tells it. */
  async begin(): Promise<void> {
    const { store, lastGood } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${FIRST_WAIT} ms`)), FIRST_WAIT);
    });
    try {
      this.#take(lastGood.read());
    } catch (error) {
      this.#trouble('the experiments kept on disk can not be read', error);
    }
    let isNew = false;
    try {
      isNew = this.#take(await Promise.race([store.latest(), late]));
    } catch (error) {
      this.#trouble('no experiments can be had now', error);
    } finally {
      clearTimeout(timer);
    }
    this.#tell();
    if (isNew) this.#keep();
  }

  /** Tells of each snapshot that is to be decided by from then on. */
  follow(): void {
    this.#following = this.#options.store.follow((text) => {
      if (!this.#take(text)) return;
      this.#tell();
      this.#keep();
    });
  }

  /** Ends the following, and closes the store. */
  async close(): Promise<void> {
    this.#following?.close();
    await this.#options.store.close();
  }

  /** Whether the text is what counts from now on. */
  #take(text: string | undefined): boolean {
    if (text === undefined) return false;
    const present = this.#present;
    let next: SnapshotReading;
    try {
      next = this.#options.read(text, present.experiments);
    } catch (error) {
      // Rules that are nested too deeply to be read throw something else. Nothing that is
      // published may end the edge.
      const problems = error instanceof SnapshotError ? error.problems : [String(error)];
      this.#options.tell({ kind: 'refused', problems });
      return false;
    }
    if (!supersedes(next, present)) return false;
    this.#present = next;
    return true;
  }

  #tell(): void {
    const { revision, publishedAt, experiments, shortfalls } = this.#present;
    this.#options.tell({
      kind: 'snapshot',
      revision,
      publishedAt,
      experiments: experiments.map((one) =>
        this.#told.has(one) ? one.document.key : heldExperiment(one),
      ),
      shortfalls,
    });
    this.#told = new Set(experiments);
  }

  /** Keeps on disk what decides, which may be less than what is published. */
  #keep(): void {
    const { revision, publishedAt, experiments } = this.#present;
    const texts = experiments.map(({ text }) => text).join(',');
    const head = `"format":1,"revision":${revision},"publishedAt":${publishedAt}`;
    try {
      this.#options.lastGood.write(`{${head},"experiments":[${texts}]}`);
    } catch (error) {
      this.#trouble('the experiments can not be kept on disk', error);
    }
  }

  #trouble(message: string, reason: unknown): void {
    this.#options.tell({ kind: 'trouble', message, reason: String(reason) });
  }
}

/**
 * Whether one snapshot is to replace another. The revision only grows, so an older one is what
 * a store still had after a fail-over; unless it was published later: then the numbers began
 * anew, with a new database. The same one again says something new where more of it can be used
 * than before: of what is on disk, by an edge whose configuration had lacked an upstream.
 */
function supersedes(next: SnapshotReading, present: SnapshotReading): boolean {
  if (next.revision > present.revision) return true;
  if (next.publishedAt < present.publishedAt) return false;
  if (next.revision < present.revision) return next.publishedAt > present.publishedAt;
  return !isSame(next.experiments, present.experiments);
}

function isSame(next: readonly UsableExperiment[], present: readonly UsableExperiment[]): boolean {
  return (
    next.length === present.length && next.every(({ text }, index) => text === present[index]?.text)
  );
}
