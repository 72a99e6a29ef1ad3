import { setImmediate } from 'node:timers/promises';
import type { HeldExperiment, HeldSnapshot } from './held-snapshot.ts';
import type { ToWorker } from './messages.ts';

/** Characters of experiments in one message: more would hold up whatever else is to be done. */
const PART = 64 * 1024;

type Message = Extract<ToWorker, { kind: 'experiments' | 'snapshot' }>;

/**
 * Brings one worker to the snapshot that is to be decided by. It is sent what it lacks, in
 * parts, and then what the snapshot consists of. A worker that is slow gets the newest snapshot
 * next, whatever came between; one that is new lacks all.
 */
export class SnapshotFeed {
  readonly #send: (message: Message) => Promise<void>;
  #wanted: HeldSnapshot | undefined;
  /** What the worker said that it decides by. */
  #adopted: readonly HeldExperiment[] = [];
  /** What it was sent last of each key. */
  #sent: Map<string, HeldExperiment> = new Map();
  #answer: (isUsed: boolean) => void = () => {};
  #isFeeding = false;

  /** @param send resolves when the message is on its way */
  constructor(send: (message: Message) => Promise<void>) {
    this.#send = send;
  }

  /** Has the worker decide by this one, as soon as it can. */
  offer(snapshot: HeldSnapshot): void {
    this.#wanted = snapshot;
    if (!this.#isFeeding) void this.#feed();
  }

  /** The worker has answered to what it was sent. */
  answered(isUsed: boolean): void {
    this.#answer(isUsed);
  }

  async #feed(): Promise<void> {
    this.#isFeeding = true;
    while (this.#wanted !== undefined) {
      const part = this.#partOf(this.#wanted);
      if (part.length > 0) {
        await this.#send({ kind: 'experiments', texts: part.map(({ text }) => text) });
        await setImmediate();
      } else await this.#conclude(this.#wanted);
    }
    this.#isFeeding = false;
  }

  /** Some of what the worker lacks; nothing when it has all. */
  #partOf({ experiments }: HeldSnapshot): readonly HeldExperiment[] {
    const part: HeldExperiment[] = [];
    let size = 0;
    for (const experiment of experiments) {
      if (this.#sent.get(experiment.key) === experiment) continue;
      if (size > 0 && size + experiment.text.length > PART) break;
      size += experiment.text.length;
      part.push(experiment);
    }
    for (const experiment of part) this.#sent.set(experiment.key, experiment);
    return part;
  }

  async #conclude(snapshot: HeldSnapshot): Promise<void> {
    const { revision, publishedAt, experiments } = snapshot;
    const answer = new Promise<boolean>((resolve) => {
      this.#answer = resolve;
    });
    const keys = experiments.map(({ key }) => key);
    await this.#send({ kind: 'snapshot', revision, publishedAt, keys });
    // Where it can't be used, the worker goes on with what it had, and forgets what it was sent.
    if (await answer) this.#adopted = experiments;
    this.#sent = new Map(this.#adopted.map((experiment) => [experiment.key, experiment]));
    if (this.#wanted === snapshot) this.#wanted = undefined;
  }
}
