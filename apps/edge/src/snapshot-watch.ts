import { isDeepStrictEqual } from 'node:util';
import { SnapshotError, createSnapshotReader, type Snapshot } from '@turnout/contracts';
import type { SnapshotStore } from '@turnout/router-core';
import { configProblems } from './config-problems.ts';
import type { LastGood } from './last-good.ts';
import type { Logger } from './log.ts';

/** How long a start waits for the store before it goes by what is on disk, in ms. */
const FIRST_WAIT = 2_000;

export interface SnapshotWatchOptions {
  readonly store: SnapshotStore;
  readonly lastGood: LastGood;
  /** The experiments of the configuration: what counts until a snapshot is there. */
  readonly seeds: Snapshot['experiments'];
  /** Names that experiments may refer to. */
  readonly upstreams: readonly string[];
  readonly log: Logger;
}

/**
 * Follows what is published. Only a snapshot that every worker can use is handed on; anything
 * else is told in the log, and the present one stays.
 */
export class SnapshotWatch {
  readonly #options: SnapshotWatchOptions;
  readonly #read: (text: string) => Snapshot;
  #following: { close(): void } | undefined;
  #current: Snapshot;
  /** Snapshots that could not be used. */
  refused = 0;

  constructor(options: SnapshotWatchOptions) {
    this.#options = options;
    this.#read = createSnapshotReader(options.upstreams, configProblems);
    this.#current = { format: 1, revision: 0, publishedAt: 0, experiments: options.seeds };
  }

  /** What is to be decided by. */
  get current(): Snapshot {
    return this.#current;
  }

  /** Takes the newer of what is published and what is on disk, if there is any. */
  async begin(): Promise<void> {
    const { store, lastGood, log } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${FIRST_WAIT} ms`)), FIRST_WAIT);
    });
    try {
      this.#take(lastGood.read());
    } catch (error) {
      log.warn({ err: error }, 'the experiments kept on disk can not be read');
    }
    try {
      this.#take(await Promise.race([store.latest(), late]));
    } catch (error) {
      log.warn({ err: error, revision: this.#current.revision }, 'no experiments can be had now');
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hands each snapshot on that is to be decided by from then on. */
  follow(adopt: (snapshot: Snapshot) => void): void {
    this.#following = this.#options.store.follow((text) => {
      if (this.#take(text)) adopt(this.#current);
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
    const { lastGood, log } = this.#options;
    let next: Snapshot;
    try {
      next = this.#read(text);
    } catch (error) {
      // Rules that are nested too deeply to be read throw something else. Nothing that is
      // published may end the edge.
      const problems = error instanceof SnapshotError ? error.problems : [String(error)];
      this.refused++;
      log.error(
        { problems, staysAt: this.#current.revision },
        'a snapshot of the experiments was refused: the last good one stays',
      );
      return false;
    }
    if (!supersedes(next, this.#current)) return false;
    this.#current = next;
    log.info(
      { revision: next.revision, experiments: next.experiments.map(({ key }) => key) },
      'deciding by new experiments',
    );
    try {
      lastGood.write(text);
    } catch (error) {
      log.error({ err: error }, 'the experiments can not be kept on disk');
    }
    return true;
  }
}

/**
 * Whether one snapshot is to replace another. The revision only grows, so an older one is what
 * a store still had after a fail-over; unless it was published later: then the numbers began
 * anew, with a new database.
 */
function supersedes(next: Snapshot, present: Snapshot): boolean {
  if (next.revision > present.revision) return true;
  if (next.publishedAt <= present.publishedAt) return false;
  return (
    next.revision < present.revision || !isDeepStrictEqual(next.experiments, present.experiments)
  );
}
