/** Refusal of a task because too many wait already. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

/** Runs asynchronous tasks one at a time, in the order they came. */
export class SerialQueue {
  readonly #limit: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param limit How many tasks may wait or run at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs a task once those before it are done, well or badly.
   *
   * @throws {QueueFullError} At once, when the limit is reached.
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#limit) {
      throw new QueueFullError(`Expected at most ${this.#limit} tasks to wait at once.`);
    }
    this.#waiting += 1;
    const result = this.#last.then(task);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await result;
    } finally {
      this.#waiting -= 1;
    }
  }
}
