import { openMysqlRepository } from './mysql-repository.ts';
import { RepositoryUnavailable } from './product-repository.ts';
import type { Repository } from './repository.ts';
import { openSqliteRepository } from './sqlite-repository.ts';

/** Which database to open: MySQL when there is a URL, else SQLite in the data folder. */
export interface RepositoryLocation {
  readonly dataFolder: string;
  readonly mysqlUrl: string | undefined;
}

/** How long to wait for a database that is still starting. */
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
 * Opens the database and migrates it. One that does not answer is asked again
 * until the patience ends; one that can not be used at all fails at once.
 */
export async function openRepository(
  { dataFolder, mysqlUrl }: RepositoryLocation,
  { limit, clock, pause, onRetry }: Patience,
): Promise<Repository> {
  const started = clock();
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
    try {
      return mysqlUrl === undefined
        ? openSqliteRepository(dataFolder)
        : await openMysqlRepository(mysqlUrl);
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
