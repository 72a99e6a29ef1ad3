import { setImmediate } from 'node:timers/promises';

/**
 * Cuts long work into slices, between which the event loop sees to all else.
 *
 * @param length of a slice, in ms
 * @returns to be awaited between the pieces of the work; resolves at once while a slice lasts
 */
export function createTimeSlices(length: number): () => Promise<void> {
  let end = performance.now() + length;
  return async () => {
    if (performance.now() < end) return;
    await setImmediate();
    end = performance.now() + length;
  };
}
