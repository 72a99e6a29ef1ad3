/** What goes into a statement; a Date is a time in UTC with milliseconds. */
export type SqlValue = string | number | Date | null;

/** One statement, in SQL that both dialects read alike. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** If it changes no row, nothing of its transaction is done. */
  readonly mustChange?: true;
}

export type SqlRow = Readonly<Record<string, unknown>>;

/** Many rows for one table at once, each written in its dialect. */
export interface RowsToStore {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
  /**
   * What becomes of a row whose key is there: it stays as it is, it takes the new values of
   * `columns`, or these are added to its own.
   */
  readonly existing:
    | { readonly action: 'keep' }
    | { readonly action: 'replace' | 'add'; readonly columns: readonly string[] };
}

/**
 * A transaction, one statement after the other: it yields each, and is given the rows that it
 * answers with (none for what is no query). What it throws rolls it back.
 */
export type Transaction<Result> = Generator<Statement | RowsToStore, Result, SqlRow[]>;

/** A database by its statements: for what is written once for SQLite and MySQL. */
export interface SqlDatabase {
  rows(sql: string, values?: readonly SqlValue[]): Promise<SqlRow[]>;
  /**
   * Runs all statements in one transaction, and resolves once it is durable with the rows that
   * each has changed. If the first, or another that must, changes no row, nothing is done, and it
   * resolves undefined.
   */
  transact(statements: readonly [Statement, ...Statement[]]): Promise<number[] | undefined>;
  /**
   * Runs a transaction whose statements depend on what it reads, and resolves with its result
   * once it is durable. It may take longer than a single statement.
   */
  run<Result>(transaction: Transaction<Result>): Promise<Result>;
}

/** A column with a time: MySQL gives a Date, SQLite its ISO 8601 text. */
export function timeOf(value: unknown): Date {
  return value instanceof Date ? value : new Date(String(value));
}
