/** Runs pieces of work one after the other, in the order in which they come. */
export interface TurnQueue {
  /** @throws what `overflow` makes, when too many wait */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** @param limit how many may wait, beside the one that runs */
export function createTurnQueue(limit: number, overflow: () => Error): TurnQueue {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    async run(work) {
      if (waiting > limit) throw overflow();
      waiting++;
      const turn = last.then(work).finally(() => waiting--);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
