import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type {
  RowsToStore,
  SqlDatabase,
  SqlRow,
  SqlValue,
  Statement,
  Transaction,
} from './sql-database.ts';

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
  /** @param isDone whether the result is worth keeping */
  const transacting = <T>(work: () => T, isDone: (result: T) => boolean = () => true): T => {
    // Takes the write lock now: a later one could find that what it read has changed.
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec(isDone(result) ? 'COMMIT' : 'ROLLBACK');
      return result;
    } catch (error) {
      // SQLite itself rolls back on some errors (disk full).
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    async rows(sql, values = []) {
      return attempt(() => rowsOf(database.prepare(sql), values));
    },
    async transact(statements) {
      return attempt(() =>
        transacting(
          () => {
            const changes: number[] = [];
            const prepared = new Map<string, StatementSync>();
            for (const { sql, values, mustChange } of statements) {
              const statement = prepared.get(sql) ?? database.prepare(sql);
              prepared.set(sql, statement);
              const done = statement.run(...values.map(inputValue));
              if (done.changes === 0 && (mustChange || changes.length === 0)) return undefined;
              changes.push(Number(done.changes));
            }
            return changes;
          },
          (changes) => changes !== undefined,
        ),
      );
    },
    async run(transaction) {
      return attempt(() => transacting(() => runThrough(database, transaction)));
    },
  };
}

function runThrough<Result>(database: DatabaseSync, transaction: Transaction<Result>): Result {
  let step = transaction.next([]);
  while (step.done !== true) step = transaction.next(answerTo(database, step.value));
  return step.value;
}

function answerTo(database: DatabaseSync, asked: Statement | RowsToStore): SqlRow[] {
  if ('sql' in asked) return rowsOf(database.prepare(asked.sql), asked.values);
  const statement = database.prepare(insertion(asked));
  for (const row of asked.rows) statement.run(...row.map(inputValue));
  return [];
}

function insertion({ table, columns, existing }: RowsToStore): string {
  const places = columns.map(() => '?').join(', ');
  const insert = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`;
  if (existing.action === 'keep') return `${insert} ON CONFLICT DO NOTHING`;
  const changes = existing.columns.map((column) =>
    existing.action === 'add'
      ? `${column} = ${column} + excluded.${column}`
      : `${column} = excluded.${column}`,
  );
  return `${insert} ON CONFLICT DO UPDATE SET ${changes.join(', ')}`;
}

function rowsOf(statement: StatementSync, values: readonly SqlValue[]): SqlRow[] {
  return statement.all(...values.map(inputValue)).map((row) => ({ ...row }));
}

function inputValue(value: SqlValue): SQLInputValue {
  return value instanceof Date ? value.toISOString() : value;
}
