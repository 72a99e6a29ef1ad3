/** Runs pieces of work one after the other, in the order in which they come. */
export interface TurnQueue {
  /**
   * @param isUrgent comes before all that is not, and is never turned away
   * @throws what `overflow` makes, when too many wait
   */
  run<Result>(work: () => Promise<Result>, isUrgent?: boolean): Promise<Result>;
}

/** @param limit how many may wait, beside the one that runs */
export function createTurnQueue(limit: number, overflow: () => Error): TurnQueue {
  const urgent: (() => void)[] = [];
  const ordinary: (() => void)[] = [];
  let isBusy = false;

  /** Resolves when it is the caller's turn. */
  function turn(waiting: (() => void)[]): Promise<void> {
    if (isBusy) return new Promise((resolve) => waiting.push(resolve));
    isBusy = true;
    return Promise.resolve();
  }

  function pass(): void {
    const next = urgent.shift() ?? ordinary.shift();
    if (next === undefined) isBusy = false;
    else next();
  }

  return {
    async run(work, isUrgent = false) {
      if (!isUrgent && ordinary.length >= limit) throw overflow();
      await turn(isUrgent ? urgent : ordinary);
      try {
        return await work();
      } finally {
        pass();
      }
    },
  };
}
