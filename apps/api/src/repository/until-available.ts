import { RepositoryUnavailable } from './product-repository.ts';

/** How long to wait for a database that does not answer, such as one that is still starting. */
export interface Patience {
  /** Milliseconds after which to give up. */
  readonly limit: number;
  /** Monotonic clock in milliseconds. */
  readonly clock: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  readonly onRetry: (error: RepositoryUnavailable, delay: number) => void;
}

/** Delays between attempts, in milliseconds: the first, doubled each time up to the longest. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 3_000;

/**
 * The result of work that needs the database, which is tried again until the database answers
 * or the patience ends. The work must be such that an attempt that failed does no harm.
 *
 * @throws RepositoryUnavailable when the patience ends; at once, whatever else the work throws
 */
export async function untilAvailable<Result>(
  work: () => Result | Promise<Result>,
  { limit, clock, pause, onRetry }: Patience,
): Promise<Result> {
  const started = clock();
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RepositoryUnavailable)) throw error;
      if (clock() - started + delay > limit) {
        throw new RepositoryUnavailable(
          `${error.message} Tried for ${Math.round(limit / 1_000)} s.`,
          { cause: error },
        );
      }
      onRetry(error, delay);
      await pause(delay);
    }
  }
}
