import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between looks. */
const PAUSE = 50;

/**
 * Looks until there is something, or `wait` ms have passed. Neither log tells its readers of
 * new events: Redis can't wait for streams in several slots of a Cluster in one command, and
 * one that waits holds up what follows on its connection.
 */
export async function poll<Item>(
  look: () => Promise<readonly Item[]>,
  wait: number,
): Promise<readonly Item[]> {
  const deadline = performance.now() + wait;
  for (;;) {
    const found = await look();
    const remaining = deadline - performance.now();
    if (found.length > 0 || remaining <= 0) return found;
    await delay(Math.min(PAUSE, remaining));
  }
}
