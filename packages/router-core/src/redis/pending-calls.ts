/** The calls under way to a server, each of which settles whatever the client library does. */
export interface PendingCalls {
  /** The call's own outcome, or a rejection when it has none after `milliseconds`. */
  settle<Value>(call: Promise<Value>): Promise<Value>;
  /** Resolves once all calls have settled. */
  drained(): Promise<void>;
}

/** A call that was given up. */
export class NoAnswer extends Error {}

export function createPendingCalls(milliseconds: number): PendingCalls {
  const pending = new Set<Promise<unknown>>();
  return {
    settle<Value>(call: Promise<Value>): Promise<Value> {
      const outcome = new Promise<Value>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new NoAnswer(`Redis gave no answer within ${milliseconds} ms`)),
          milliseconds,
        );
        call.then(resolve, reject).finally(() => clearTimeout(timer));
      });
      pending.add(outcome);
      const settled = (): void => void pending.delete(outcome);
      outcome.then(settled, settled);
      return outcome;
    },
    async drained() {
      await Promise.allSettled(pending);
    },
  };
}
