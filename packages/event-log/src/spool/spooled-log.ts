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
 *     direct --(an append fails)--> spooling --(a replay succeeds)--> catching up --> direct
 *                                      ^                                   |
 *                                      +-------------(it fails)------------+
 *
 * While it is spooling nobody waits for the log: the replay alone asks whether it is back. New
 * events are spooled behind the others. Once all that was there has been replayed, new ones
 * wait for the few that came meanwhile, and then go to the log: so those of a process stay in
 * order, and however fast they come, an end of it is reached. It begins by replaying what was
 * left behind.
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
  /** Ends with the catching up. */
  let gate: Promise<void> | undefined;
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

  /** Whether the spool is empty now. */
  async function catchUp(): Promise<boolean> {
    await spool.replay(replayInto);
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    try {
      await spool.replay(replayInto);
    } finally {
      gate = undefined;
      resolve();
    }
    // An append that was on its way to the log may have failed, and be spooled.
    if (spool.waiting > 0) return false;
    // All in this turn of the event loop: whoever appends next finds the log in use.
    recovering = undefined;
    if (isOut && !stop.signal.aborted) onRecovered();
    isOut = false;
    return true;
  }

  async function recover(firstWait: number): Promise<void> {
    let wait = firstWait;
    while (!stop.signal.aborted) {
      // Rejects when it is time to stop, which the loop sees.
      await sleep(wait, undefined, { signal: stop.signal, ref: false }).catch(() => {});
      try {
        if (await catchUp()) return;
        wait = 0;
      } catch (error) {
        failed(error);
        wait = Math.min(Math.max(firstDelay, wait * 2), maxDelay);
      }
    }
  }

  async function append(events: readonly string[]): Promise<void> {
    await gate;
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
