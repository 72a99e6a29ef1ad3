import { setTimeout as pause } from 'node:timers/promises';

/** The work took longer than it may; it goes on, and its result is dropped. */
export class TimeLimitExceeded extends Error {
  override readonly name = 'TimeLimitExceeded';
}

/** The result of `work`, or a rejection with `TimeLimitExceeded` after `milliseconds`. */
export async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const done = new AbortController();
  const limit = pause(milliseconds, undefined, { signal: done.signal }).then(() => {
    throw new TimeLimitExceeded(`no answer within ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    done.abort();
  }
}
