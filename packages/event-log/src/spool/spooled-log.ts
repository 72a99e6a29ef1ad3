import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../event-log.ts';
import type { Spool } from './spool.ts';

export interface SpooledLogOptions {
  /** Told once of each outage, with what the log failed with first. */
  readonly onOutage?: (error: unknown) => void;
  /** Told once all that was spooled is in the log, and new events go there again. */
  readonly onRecovered?: () => void;
  /** Milliseconds to the first attempt to replay; doubled with each that fails. Default 250. */
  readonly delay?: number;
  /** Milliseconds to any later attempt, at most. Default 5,000. */
  readonly maxDelay?: number;
}

export interface SpooledLog extends EventLog {
  /** Bytes that wait on this process's disk for the log. */
  readonly spooled: number;
}

/**
 * A log that outlives outages of another: what that does not take is spooled, and replayed in
 * order when it is back.
 *
 *     direct --(an append fails)--> spooling --(all is replayed)--> direct
 *
 * While it is spooling nobody waits for the log: the replay alone asks whether it is back. New
 * events are spooled behind the others until the replay has caught up with them, so that
 * those of a process stay in order. It begins by replaying what was left behind.
 *
 * `append` rejects with `SpoolFull` when neither has room; both are closed with it.
 */
export function createSpooledLog(
  log: EventLog,
  spool: Spool,
  options: SpooledLogOptions = {},
): SpooledLog {
  const { onOutage = () => {}, onRecovered = () => {} } = options;
  const { delay: firstDelay = 250, maxDelay = 5_000 } = options;
  const stop = new AbortController();
  const appends = new Set<Promise<void>>();
  let isOut = false;
  /** The replay, for as long as it takes; appends are spooled meanwhile. */
  let recovering: Promise<void> | undefined = recover(0);
  let closing: Promise<void> | undefined;

  function failed(error: unknown): void {
    if (!isOut && !stop.signal.aborted) onOutage(error);
    isOut = true;
  }

  async function replayInto(events: readonly string[]): Promise<void> {
    stop.signal.throwIfAborted();
    await log.append(events);
  }

  async function recover(firstWait: number): Promise<void> {
    let wait = firstWait;
    while (!stop.signal.aborted) {
      // Rejects when it is time to stop, which the loop sees.
      await sleep(wait, undefined, { signal: stop.signal, ref: false }).catch(() => {});
      try {
        await spool.replay(replayInto);
        wait = 0;
        // In the same turn as the next line: whoever appends finds the one or the other.
        if (spool.waiting === 0) break;
      } catch (error) {
        failed(error);
        wait = Math.min(Math.max(firstDelay, wait * 2), maxDelay);
      }
    }
    recovering = undefined;
    if (isOut && !stop.signal.aborted) onRecovered();
    isOut = false;
  }

  async function append(events: readonly string[]): Promise<void> {
    if (recovering === undefined) {
      try {
        await log.append(events);
        return;
      } catch (error) {
        failed(error);
        recovering ??= recover(firstDelay);
      }
    }
    await spool.append(events);
  }

  async function finish(): Promise<void> {
    await Promise.allSettled(appends);
    stop.abort();
    await recovering;
    await spool.close();
    await log.close();
  }

  return {
    get spooled() {
      return spool.waiting;
    },
    async append(events) {
      if (closing !== undefined) throw new Error('The event log was closed');
      const call = append(events);
      appends.add(call);
      await call.finally(() => appends.delete(call));
    },
    lag: () => log.lag(),
    close() {
      closing ??= finish();
      return closing;
    },
  };
}
