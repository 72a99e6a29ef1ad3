import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { SqlDatabase, SqlValue } from './sql-database.ts';

/**
 * SQLite as a database of statements. A transaction begins and ends within one turn of the
 * event loop, so that no other statement of this connection gets into it.
 *
 * @param attempt runs the work, and explains what it throws
 */
export function sqliteDatabase(
  database: DatabaseSync,
  attempt: <T>(work: () => T) => T,
): SqlDatabase {
  return {
    async rows(sql, values = []) {
      return attempt(() =>
        database
          .prepare(sql)
          .all(...values.map(inputValue))
          .map((row) => ({ ...row })),
      );
    },
    async transact(statements) {
      return attempt(() => {
        // Takes the write lock now: a later one could find that what it read has changed.
        database.exec('BEGIN IMMEDIATE');
        try {
          const changes: number[] = [];
          for (const { sql, values } of statements) {
            const done = database.prepare(sql).run(...values.map(inputValue));
            changes.push(Number(done.changes));
            if (changes[0] === 0) {
              database.exec('ROLLBACK');
              return undefined;
            }
          }
          database.exec('COMMIT');
          return changes;
        } catch (error) {
          // SQLite itself rolls back on some errors (disk full).
          if (database.isTransaction) database.exec('ROLLBACK');
          throw error;
        }
      });
    },
  };
}

function inputValue(value: SqlValue): SQLInputValue {
  return value instanceof Date ? value.toISOString() : value;
}
