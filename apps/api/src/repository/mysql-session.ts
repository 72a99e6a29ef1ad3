import { RepositoryUnavailable, RepositoryUnusable } from './product-repository.ts';
import { TimeLimitExceeded } from './time-limit.ts';

/**
 * First statement on every connection. Whatever the server's defaults: a value
 * that does not fit is an error, never cut short, and times are UTC.
 */
export const SESSION = "SET SESSION sql_mode = 'TRADITIONAL', SESSION time_zone = '+00:00'";

/**
 * Prepared statements that one connection keeps. The server has a limit for all of its clients
 * (16,382), and each page size is a statement of its own.
 */
const PREPARED_STATEMENTS = 64;

/** Connection settings that the pool and the migrations share. */
export function connectionOptions(url: string) {
  return {
    uri: url,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectTimeout: 2_000,
    maxPreparedStatements: PREPARED_STATEMENTS,
  } as const;
}

/** `host:port/database`, the part of the URL that may be shown. */
function publicName(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || '3306'}${pathname}`;
}

/** The server's error code (`ER_DUP_ENTRY`) or Node's (`ECONNREFUSED`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What waiting does not mend, with what does. */
const UNUSABLE: Readonly<Record<string, string>> = {
  ER_ACCESS_DENIED_ERROR: 'Correct the user or password in TURNOUT_MYSQL_URL.',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'Correct the user or password in TURNOUT_MYSQL_URL.',
  ER_DBACCESS_DENIED_ERROR: 'Grant the user all privileges on this database.',
  ER_TABLEACCESS_DENIED_ERROR: 'Grant the user all privileges on this database.',
  ER_BAD_DB_ERROR: 'Create the database (CREATE DATABASE …), or correct TURNOUT_MYSQL_URL.',
};

/** Errors that are not fatal to the connection and still pass by themselves. */
const PASSING = new Set([
  'ER_CON_COUNT_ERROR',
  'ER_USER_LIMIT_REACHED',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_DISK_FULL',
]);

/**
 * Whether the server refused what was to be stored, rather than to store anything. SQLSTATE
 * classes: 21 and 22 are values that do not fit, 23 is a constraint.
 */
function isAboutValues(error: Error): boolean {
  const state = 'sqlState' in error ? String(error.sqlState) : '';
  return /^2[123]/.test(state) || VALUE_REFUSED.has(errorCode(error) ?? '');
}

/** Codes of such errors whose SQLSTATE does not say so. */
const VALUE_REFUSED = new Set([
  'ER_CANT_AGGREGATE_2COLLATIONS',
  'ER_CANT_AGGREGATE_NCOLLATIONS',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_NO_DEFAULT_FOR_FIELD',
  'WARN_DATA_TRUNCATED',
]);

/**
 * Tells a failure that passes from one that somebody must mend. Only what has to do with the
 * values of the statement stays as it is: other values may be taken.
 */
export function explained(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof RepositoryUnavailable) return error;
  const code = errorCode(error) ?? '';
  const fix = UNUSABLE[code];
  if (fix !== undefined) {
    return new RepositoryUnusable(
      `The database server at ${publicName(url)} refused us: ${error.message}. ${fix}`,
      { cause: error },
    );
  }
  const isPassing =
    error instanceof TimeLimitExceeded ||
    // mysql2 marks what ends the connection as fatal; network errors carry Node's `syscall`.
    ('fatal' in error && error.fatal === true) ||
    'syscall' in error ||
    PASSING.has(code);
  if (isPassing) {
    return new RepositoryUnavailable(
      `The database server at ${publicName(url)} does not answer (${error.message || code}). ` +
        'Start it, or correct TURNOUT_MYSQL_URL; without TURNOUT_MYSQL_URL the data is kept in an embedded SQLite file.',
      { cause: error },
    );
  }
  if (!('sqlState' in error) || isAboutValues(error)) return error;
  return new RepositoryUnusable(
    `The database server at ${publicName(url)} can not do its work: ${error.message} (${code}). ` +
      'Mend the database; if it was changed by hand, put back what was there.',
    { cause: error },
  );
}
