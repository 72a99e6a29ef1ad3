import type { DatabaseSync } from 'node:sqlite';
import type { Migration } from './migrations.ts';
import { pendingMigrations } from './pending-migrations.ts';

/**
 * Brings the database to the newest version in one transaction: all pending
 * migrations take effect, or none. `BEGIN IMMEDIATE` takes the write lock before
 * the version is read, so that of two processes that start together one waits
 * and then finds the work done.
 */
export function migrateSqlite(database: DatabaseSync, migrations: readonly Migration[]): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(
      `CREATE TABLE IF NOT EXISTS product_migrations (
        version INTEGER NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
      ) STRICT`,
    );
    const row = database
      .prepare('SELECT COALESCE(MAX(version), 0) AS version FROM product_migrations')
      .get();
    const record = database.prepare('INSERT INTO product_migrations (version, name) VALUES (?, ?)');
    for (const migration of pendingMigrations(migrations, Number(row?.['version']))) {
      for (const statement of migration.sqlite) database.exec(statement);
      record.run(migration.version, migration.name);
    }
    database.exec('COMMIT');
  } catch (error) {
    // SQLite itself rolls back on some errors (disk full); then there is nothing left to undo.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
