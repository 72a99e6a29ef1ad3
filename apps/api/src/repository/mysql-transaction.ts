import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { RowsToStore, SqlRow, Statement, Transaction } from './sql-database.ts';

/** Rows of one INSERT: a few hundred kilobytes, far below what servers take (max_allowed_packet). */
const ROWS_AT_ONCE = 2_000;

/** Runs a transaction on a connection that nobody else uses meanwhile. */
export async function runTransaction<Result>(
  connection: Connection,
  transaction: Transaction<Result>,
): Promise<Result> {
  await connection.beginTransaction();
  try {
    let step = transaction.next([]);
    while (step.done !== true) {
      // Each statement waits for the answer to the one before.
      step = transaction.next(await answerTo(connection, step.value));
    }
    await connection.commit();
    return step.value;
  } catch (error) {
    // A connection that goes back to the pool must hold no lock.
    await connection.rollback();
    throw error;
  }
}

async function answerTo(connection: Connection, asked: Statement | RowsToStore): Promise<SqlRow[]> {
  if ('sql' in asked) {
    // Not prepared: the statements of a batch differ in how many values they hold.
    const [rows] = await connection.query<RowDataPacket[]>(asked.sql, [...asked.values]);
    return Array.isArray(rows) ? rows : [];
  }
  const { rows } = asked;
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    await connection.query(insertion(asked), [rows.slice(at, at + ROWS_AT_ONCE)]);
  }
  return [];
}

// No INSERT IGNORE: it would cut short what does not fit as well.
function insertion({ table, columns, existing }: RowsToStore): string {
  const changes =
    existing.action === 'keep'
      ? [`${columns[0]} = ${columns[0]}`]
      : existing.columns.map((column) =>
          existing.action === 'add'
            ? `${column} = ${column} + VALUES(${column})`
            : `${column} = VALUES(${column})`,
        );
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ? ON DUPLICATE KEY UPDATE ${changes.join(', ')}`;
}
