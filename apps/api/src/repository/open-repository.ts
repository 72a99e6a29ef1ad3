import { openMysqlRepository } from './mysql-repository.ts';
import type { Repository } from './repository.ts';
import { openSqliteRepository } from './sqlite-repository.ts';
import { untilAvailable } from './until-available.ts';
import type { Patience } from './until-available.ts';

/** Which database to open: MySQL when there is a URL, else SQLite in the data folder. */
export interface RepositoryLocation {
  readonly dataFolder: string;
  readonly mysqlUrl: string | undefined;
}

/**
 * Opens the database and migrates it. One that does not answer is asked again
 * until the patience ends; one that can not be used at all fails at once.
 */
export function openRepository(
  { dataFolder, mysqlUrl }: RepositoryLocation,
  patience: Patience,
): Promise<Repository> {
  return untilAvailable(
    () =>
      mysqlUrl === undefined ? openSqliteRepository(dataFolder) : openMysqlRepository(mysqlUrl),
    patience,
  );
}
