import type { Migration } from './migrations.ts';
import { RepositoryUnusable } from './product-repository.ts';

/**
 * The migrations still to run, in order, on a database that stands at `version`
 * (0 when empty). A database that a newer release has moved on is refused:
 * migrations only go forward.
 */
export function pendingMigrations(all: readonly Migration[], version: number): Migration[] {
  const newest = all.at(-1)?.version ?? 0;
  if (version > newest) {
    throw new RepositoryUnusable(
      `The database is at schema version ${version}, this release knows versions up to ${newest}. ` +
        'Start the release that last used this database, or a newer one.',
    );
  }
  return all.filter((migration) => migration.version > version);
}
