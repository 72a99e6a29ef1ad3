import { RepositoryUnavailable, RepositoryUnusable } from './product-repository.ts';

// Result codes of SQLite (https://sqlite.org/rescode.html). The low byte is the
// primary code; extended codes tell constraints apart.
const BUSY = 5;
const READONLY = 8;
const CANTOPEN = 14;
const FULL = 13;
const NOTADB = 26;
const CORRUPT = 11;
const TOOBIG = 18;
const CONSTRAINT = 19;
const MISMATCH = 20;
export const CONSTRAINT_FOREIGNKEY = 787;
export const CONSTRAINT_UNIQUE = 2067;

/** SQLite's extended result code, or undefined when the error is not SQLite's. */
export function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** What has to do with the values of a statement: others may be taken. */
const ABOUT_VALUES: ReadonlySet<number> = new Set([TOOBIG, CONSTRAINT, MISMATCH]);

/**
 * Tells a failure that passes from one that somebody must mend. Only what has to do with the
 * values of the statement stays as it is, and what is no error of SQLite.
 */
export function explained(error: unknown, file: string): unknown {
  const systemCode = error instanceof Error && 'code' in error ? error.code : undefined;
  const primary = (resultCode(error) ?? 0) & 0xff;
  if (primary === BUSY) {
    return new RepositoryUnavailable(`Another process holds the database ${file} locked.`, {
      cause: error,
    });
  }
  if (primary === FULL) {
    return new RepositoryUnavailable(`No room left to write the database ${file}.`, {
      cause: error,
    });
  }
  if (primary === NOTADB || primary === CORRUPT) {
    return new RepositoryUnusable(
      `${file} is no intact SQLite database. Put back a backup, or move the file away to start with an empty one.`,
      { cause: error },
    );
  }
  if (
    primary === READONLY ||
    primary === CANTOPEN ||
    ['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR'].includes(String(systemCode))
  ) {
    return new RepositoryUnusable(
      `The database ${file} can not be written. Make its folder writable for this user, ` +
        'or set TURNOUT_DATA_DIR to a folder that is.',
      { cause: error },
    );
  }
  if (primary === 0 || ABOUT_VALUES.has(primary)) return error;
  return new RepositoryUnusable(
    `The database ${file} can not do its work: ${error instanceof Error ? error.message : String(error)}. ` +
      'Mend it, or put back a backup.',
    { cause: error },
  );
}
