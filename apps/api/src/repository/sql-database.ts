/** What goes into a statement; a Date is a time in UTC with milliseconds. */
export type SqlValue = string | number | Date | null;

/** One statement, in SQL that both dialects read alike. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export type SqlRow = Readonly<Record<string, unknown>>;

/** A database by its statements: for what is written once for SQLite and MySQL. */
export interface SqlDatabase {
  rows(sql: string, values?: readonly SqlValue[]): Promise<SqlRow[]>;
  /**
   * Runs all statements in one transaction, and resolves once it is durable with the rows that
   * each has changed. If the first changes no row, nothing is done, and it resolves undefined.
   */
  transact(statements: readonly [Statement, ...Statement[]]): Promise<number[] | undefined>;
}

/** A column with a time: MySQL gives a Date, SQLite its ISO 8601 text. */
export function timeOf(value: unknown): Date {
  return value instanceof Date ? value : new Date(String(value));
}
