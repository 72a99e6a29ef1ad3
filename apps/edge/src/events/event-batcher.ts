import type { EventLog } from '@turnout/event-log';

/** How long an event may wait for others to be appended with it, in ms. */
const WAIT = 50;
/** Events of one append. */
const BATCH = 500;
/** Events that may wait in memory for an append that takes its time. */
const WAITING_MAX = 50_000;

interface Waiting {
  readonly texts: readonly string[];
  /** Called once they are durable, or with the reason why not. */
  readonly settled: (error?: unknown) => void;
}

/**
 * Appends the events of a worker in batches, one after another, so that the log gets them in
 * the order in which they happened. What nobody waits for is gathered for a while; what
 * somebody waits for goes at once, with all that is there, or with the next batch while one is
 * under way.
 */
export class EventBatcher {
  readonly #log: EventLog;
  #waiting: Waiting[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #appending: Promise<void> | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /**
   * Takes an event that no request waits for.
   *
   * @param settled called once it is durable, or with the reason why it is lost
   */
  add(text: string, settled: (error?: unknown) => void): void {
    this.#take({ texts: [text], settled });
    this.#timer ??= setTimeout(() => this.#start(), WAIT);
  }

  /**
   * Takes events together; resolves once they are durable.
   *
   * @throws {Error} when the log can't take them; some may be in it all the same
   */
  append(texts: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled = (error?: unknown): void => {
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#take({ texts, settled });
      // The answers that end in this turn of the event loop share the batch.
      setImmediate(() => this.#start());
    });
  }

  /** Appends all that waits. Never rejects: whoever waits is told. */
  async flush(): Promise<void> {
    do {
      this.#start();
      await this.#appending;
    } while (this.#waiting.length > 0);
  }

  #take(waiting: Waiting): void {
    if (this.#count + waiting.texts.length > WAITING_MAX) {
      waiting.settled(new Error(`More than ${WAITING_MAX} events wait for the event log`));
      return;
    }
    this.#waiting.push(waiting);
    this.#count += waiting.texts.length;
  }

  #start(): void {
    if (this.#appending !== undefined || this.#waiting.length === 0) return;
    this.#appending = this.#appendAll().finally(() => {
      this.#appending = undefined;
    });
  }

  async #appendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const batch = this.#next();
      try {
        await this.#log.append(batch.flatMap(({ texts }) => texts));
        for (const { settled } of batch) settled();
      } catch (error) {
        for (const { settled } of batch) settled(error);
      }
    }
  }

  /** The oldest, up to a batch; what was given together stays together. */
  #next(): readonly Waiting[] {
    let size = 0;
    let end = 0;
    for (const { texts } of this.#waiting) {
      if (end > 0 && size + texts.length > BATCH) break;
      size += texts.length;
      end += 1;
    }
    const batch = this.#waiting.slice(0, end);
    this.#waiting = this.#waiting.slice(end);
    this.#count -= size;
    return batch;
  }
}
