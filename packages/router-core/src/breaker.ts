/**
 * A circuit breaker around the store.
 *
 *     closed --(failures in a row)--> open --(delay)--> half-open --probe fails--> open
 *        ^                                                  |
 *        +------------------ probe succeeds ----------------+
 *
 * Probes run in the background, so that no request ever waits for a store that is known
 * to be down. The delay doubles with each failed probe, up to a limit.
 */

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Failures in a row that open it. Default 5. */
  readonly failures?: number;
  /** Milliseconds to the first probe. Default 250. */
  readonly delay?: number;
  /** Milliseconds to any later probe, at most. Default 5,000. */
  readonly maxDelay?: number;
}

export interface Breaker {
  readonly state: BreakerState;
  /** How often it opened. */
  readonly opened: number;
  succeeded(): void;
  failed(): void;
  /** Stops probing. */
  close(): void;
}

/**
 * Makes a closed breaker.
 *
 * @param probe asks the store something small; resolves if the store is well. Its
 *   rejection is the answer "not yet"
 * @param onChange called with `open` when the store is given up, and with `closed` when it
 *   is back; every outage is told, however short
 */
export function createBreaker(
  { failures: limit = 5, delay: firstDelay = 250, maxDelay = 5_000 }: BreakerOptions,
  probe: () => Promise<unknown>,
  onChange: (state: 'open' | 'closed') => void,
): Breaker {
  let state: BreakerState = 'closed';
  let failures = 0;
  let opened = 0;
  let delay = firstDelay;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  function open(): void {
    state = 'open';
    if (ended) return;
    timer = setTimeout(() => void tryAgain(), delay);
    timer.unref();
  }

  async function tryAgain(): Promise<void> {
    state = 'half-open';
    try {
      await probe();
    } catch {
      delay = Math.min(delay * 2, maxDelay);
      open();
      return;
    }
    state = 'closed';
    failures = 0;
    delay = firstDelay;
    onChange('closed');
  }

  return {
    get state() {
      return state;
    },
    get opened() {
      return opened;
    },
    succeeded() {
      if (state === 'closed') failures = 0;
    },
    failed() {
      if (state !== 'closed') return;
      failures += 1;
      if (failures < limit) return;
      opened += 1;
      open();
      onChange('open');
    },
    close() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
