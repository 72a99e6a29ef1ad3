import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Shortfall } from '@turnout/contracts';
import type { HeldExperiment, HeldSnapshot } from './held-snapshot.ts';
import type { Logger } from './log.ts';
import type { FromFollower } from './snapshot-follower.ts';
import type { FromThread, ThreadSettings } from './snapshot-thread.ts';

/** Wait before a thread that died is replaced, in ms. */
const RESTART_AFTER = 1_000;
/** How long the thread may take to close the store at the end, in ms. */
const CLOSE_WAIT = 2_000;

export interface SnapshotWatchOptions extends ThreadSettings {
  /** Takes each snapshot that is to be decided by from then on. */
  readonly adopt: (snapshot: HeldSnapshot) => void;
  readonly log: Logger;
}

/**
 * Follows what is published, by a thread: see `snapshot-thread.ts`. Only what every worker can
 * use is handed on; anything else is told in the log, and what decides at present stays.
 */
export class SnapshotWatch {
  readonly #options: SnapshotWatchOptions;
  #thread: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasAdopted = false;
  #current: HeldSnapshot;
  #shortfalls: readonly Shortfall[] = [];
  /** Snapshots of which nothing could be used. */
  refused = 0;

  constructor(options: SnapshotWatchOptions) {
    this.#options = options;
    this.#current = options.present;
  }

  /** What is to be decided by. */
  get current(): HeldSnapshot {
    return this.#current;
  }

  /** Experiments that are not decided by as they are published. */
  get shortfalls(): readonly Shortfall[] {
    return this.#shortfalls;
  }

  /**
   * Begins to follow. Resolves once the first snapshot was handed on.
   *
   * @throws {Error} when the store can't be used
   */
  begin(): Promise<void> {
    const begun = Promise.withResolvers<void>();
    this.#start(begun);
    return begun.promise;
  }

  /** Ends the following. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const thread = this.#thread;
    if (thread === undefined) return;
    const exited = once(thread, 'exit');
    thread.postMessage('close');
    const late = setTimeout(() => void thread.terminate(), CLOSE_WAIT);
    await exited;
    clearTimeout(late);
  }

  #start(begun: PromiseWithResolvers<void>): void {
    const { dataDir, redis, upstreams, log } = this.#options;
    const settings: ThreadSettings = { dataDir, redis, upstreams, present: this.#current };
    const thread = new Worker(new URL('snapshot-thread.ts', import.meta.url), {
      workerData: settings,
    });
    this.#thread = thread;
    thread.on('message', (message: FromThread) => {
      this.#hear(message);
      if (message.kind === 'snapshot') begun.resolve();
      else if (message.kind === 'hopeless') begun.reject(new Error(message.reason));
    });
    thread.on('error', (error) => log.error({ err: error }, 'following the experiments failed'));
    thread.on('exit', () => {
      this.#thread = undefined;
      if (this.#isClosed) return;
      // What it was given to read may be why: that keeps no edge from its start.
      if (!this.#hasAdopted) this.#adopt(this.#current);
      begun.resolve();
      this.#restart = setTimeout(() => this.#start(begun), RESTART_AFTER);
    });
  }

  #hear(message: FromThread): void {
    const { log } = this.#options;
    switch (message.kind) {
      case 'snapshot':
        this.#take(message);
        return;
      case 'refused':
        this.refused++;
        log.error(
          { problems: message.problems, staysAt: this.#current.revision },
          'a snapshot of the experiments was refused: the last good one stays',
        );
        return;
      case 'trouble':
        log.warn({ reason: message.reason, revision: this.#current.revision }, message.message);
        return;
      case 'hopeless':
        log.error({ reason: message.reason }, 'the store of experiments can not be opened');
        return;
    }
  }

  #adopt(snapshot: HeldSnapshot): void {
    this.#hasAdopted = true;
    this.#current = snapshot;
    this.#options.adopt(snapshot);
  }

  #take({ revision, publishedAt, experiments, shortfalls }: FromFollower & { kind: 'snapshot' }) {
    const before = new Map(this.#current.experiments.map((one) => [one.key, one]));
    const changed: string[] = [];
    const held = experiments.flatMap((one): HeldExperiment[] => {
      const key = typeof one === 'string' ? one : one.key;
      const known = before.get(key);
      before.delete(key);
      if (typeof one === 'string' || known?.text === one.text) return known ? [known] : [];
      changed.push(key);
      return [one];
    });
    this.#adopt({ revision, publishedAt, experiments: held });
    const { log } = this.#options;
    log.info({ revision, changed, gone: [...before.keys()] }, 'deciding by new experiments');
    const told = new Set(this.#shortfalls.map((one) => JSON.stringify(one)));
    for (const shortfall of shortfalls) {
      if (told.has(JSON.stringify(shortfall))) continue;
      log.error({ ...shortfall, revision }, 'an experiment is not decided by as it is published');
    }
    this.#shortfalls = shortfalls;
  }
}
