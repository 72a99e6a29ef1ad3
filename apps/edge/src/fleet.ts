import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExplainRequest, Explanation } from '@turnout/contracts/explanation';
import type { VisitorId } from '@turnout/router-core';
import type { HeldSnapshot } from './held-snapshot.ts';
import type { Logger } from './log.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { MetricSnapshot } from './metrics.ts';
import { SnapshotFeed } from './snapshot-feed.ts';
import { closeWhatItHeld } from './orphaned-connection.ts';

/** A worker that lived this long, in ms, did not die of its start. */
const SETTLED_AFTER = 10_000;
/** Wait before a worker is replaced, in ms: at once at first, doubling while they die young. */
const BACKOFF_FIRST = 100;
const BACKOFF_MAX = 5_000;
/** How long a worker may take to answer a scrape, in ms. */
const SCRAPE_WAIT = 1_000;
/** How long a worker may take to explain a request, in ms. */
const EXPLAIN_WAIT = 5_000;

/** How long a worker may take at the end to write down what it counted, in ms. */
const LAST_WRITES = 3_000;

export interface FleetOptions {
  readonly size: number;
  readonly start: Omit<Extract<ToWorker, { kind: 'start' }>, 'needsLedger'>;
  /** How long requests under way may take to end at a shutdown, in ms. */
  readonly drain: number;
  readonly log: Logger;
}

interface FleetEvents {
  /** The first worker accepts connections. */
  listening: [port: number];
  /** No worker will ever be able to serve. */
  hopeless: [reason: string];
  /** A worker is gone; `last` is what it had counted when it was last asked. */
  gone: [last: MetricSnapshot | undefined];
}

interface Member {
  readonly worker: Worker;
  readonly born: number;
  readonly feed: SnapshotFeed;
  listening: boolean;
  snapshot?: MetricSnapshot;
}

/** The worker processes: started, replaced when they die, drained at the end. */
export class Fleet extends EventEmitter<FleetEvents> {
  readonly #options: FleetOptions;
  readonly #members = new Map<number, Member>();
  readonly #questions = new Map<number, (explanation: Explanation) => void>();
  readonly #scrapes = new Map<number, (id: number) => void>();
  /** What to decide by; undefined until that is known. */
  #snapshot: HeldSnapshot | undefined;
  #backoff = 0;
  #draining = false;
  #hasListened = false;
  #isHopeless = false;
  #scrape = 0;
  restarts = 0;

  constructor(options: FleetOptions) {
    super();
    this.#options = options;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('worker-main.ts', import.meta.url)),
      args: [],
    });
    cluster.on('message', (worker, message: FromWorker) => this.#heard(worker, message));
    cluster.on('exit', (worker, code, signal) => this.#exited(worker, code, signal));
    for (let i = 0; i < options.size; i++) this.#fork();
  }

  /** Workers that accept connections. */
  get listening(): number {
    let count = 0;
    for (const member of this.#members.values()) if (member.listening) count++;
    return count;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Has all workers decide by these experiments: those that run, and those still to come. No
   * worker serves before the first of these.
   */
  adopt(snapshot: HeldSnapshot): void {
    this.#snapshot = snapshot;
    for (const { feed } of this.#members.values()) feed.offer(snapshot);
  }

  /** Has all workers ask the ledger anew about a visitor. */
  forget(visitor: VisitorId): void {
    for (const { worker } of this.#members.values()) {
      void tell(worker, { kind: 'visitor', visitor });
    }
  }

  /** What each worker has counted; a worker that is too busy to answer is given as it was last seen. */
  async scrape(): Promise<MetricSnapshot[]> {
    const request = ++this.#scrape;
    const asked = new Set<number>();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SCRAPE_WAIT);
      this.#scrapes.set(request, (id) => {
        asked.delete(id);
        if (asked.size > 0) return;
        clearTimeout(timer);
        resolve();
      });
      for (const [id, { worker, listening }] of this.#members) {
        if (!listening || !worker.isConnected()) continue;
        asked.add(id);
        void tell(worker, { kind: 'metrics', request });
      }
      if (asked.size > 0) return;
      clearTimeout(timer);
      resolve();
    });
    this.#scrapes.delete(request);
    return [...this.#members.values()].flatMap(({ snapshot }) => (snapshot ? [snapshot] : []));
  }

  /**
   * Has a worker say where a request would go, and why.
   *
   * @throws {Error} when no worker answers
   */
  async explain(question: ExplainRequest): Promise<Explanation> {
    const member = [...this.#members.values()].find(
      ({ listening, worker }) => listening && worker.isConnected(),
    );
    if (member === undefined) throw new Error('No worker is there to explain it');
    const request = ++this.#scrape;
    try {
      return await new Promise<Explanation>((resolve, reject) => {
        const late = () => reject(new Error(`No worker explained it within ${EXPLAIN_WAIT} ms`));
        const timer = setTimeout(late, EXPLAIN_WAIT);
        this.#questions.set(request, (explanation) => {
          clearTimeout(timer);
          resolve(explanation);
        });
        void tell(member.worker, { kind: 'explain', request, question });
      });
    } finally {
      this.#questions.delete(request);
    }
  }

  /**
   * Lets requests under way end, then ends the workers; those that take longer
   * than the drain time are killed.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    const gone = [...this.#members.values()].map(
      ({ worker }) =>
        new Promise<void>((resolve) => {
          const killer = setTimeout(
            () => worker.process.kill('SIGKILL'),
            this.#options.drain + LAST_WRITES,
          );
          worker.once('exit', () => {
            clearTimeout(killer);
            resolve();
          });
          void tell(worker, { kind: 'drain' });
        }),
    );
    await Promise.all(gone);
  }

  #fork(): void {
    const worker = cluster.fork();
    closeWhatItHeld(worker);
    const feed = new SnapshotFeed((message) => tell(worker, message));
    this.#members.set(worker.id, { worker, born: Date.now(), feed, listening: false });
    // A ledger that can't be opened is a mistake at the start; later it is one more outage.
    void tell(worker, { ...this.#options.start, needsLedger: !this.#hasListened });
    if (this.#snapshot !== undefined) feed.offer(this.#snapshot);
  }

  #heard(worker: Worker, message: FromWorker): void {
    const member = this.#members.get(worker.id);
    if (member === undefined) return;
    switch (message.kind) {
      case 'listening':
        member.listening = true;
        this.#hasListened = true;
        this.emit('listening', message.port);
        return;
      case 'hopeless':
        // Once it has served, the edge goes on trying: what is broken may be mended.
        if (this.#hasListened) {
          this.#options.log.error({ reason: message.reason }, 'a worker could not start');
          return;
        }
        this.#isHopeless = true;
        this.emit('hopeless', message.reason);
        return;
      case 'adopted':
        member.feed.answered(message.isUsed);
        return;
      case 'explanation':
        this.#questions.get(message.request)?.(message.explanation);
        return;
      case 'metrics':
        member.snapshot = message.snapshot;
        this.#scrapes.get(message.request)?.(worker.id);
        return;
    }
  }

  #exited(worker: Worker, code: number | null, signal: string | null): void {
    const member = this.#members.get(worker.id);
    if (member === undefined) return;
    this.#members.delete(worker.id);
    this.emit('gone', member.snapshot);
    if (this.#draining || this.#isHopeless) return;
    const lived = Date.now() - member.born;
    this.#backoff =
      lived >= SETTLED_AFTER ? 0 : Math.min(BACKOFF_MAX, this.#backoff * 2 || BACKOFF_FIRST);
    this.#options.log.error(
      { worker: worker.process.pid, code, signal, lived, replacedIn: this.#backoff },
      'worker died, starting another',
    );
    setTimeout(() => {
      if (this.#draining) return;
      this.restarts++;
      this.#fork();
    }, this.#backoff);
  }
}

/**
 * Resolves when the message is on its way. A worker that is just dying can't be told anything;
 * its exit says the rest.
 */
function tell(worker: Worker, message: ToWorker): Promise<void> {
  return new Promise((resolve) => worker.send(message, () => resolve()));
}
