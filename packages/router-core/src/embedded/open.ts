import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  SQLITE_BUSY,
  SQLITE_CORRUPT,
  SQLITE_ERROR,
  SQLITE_NOTADB,
  primaryResultCode,
} from './result-code.ts';

/** What a file holds. */
export interface Contents {
  /** What the file is called in messages. */
  readonly name: string;
  /** What each version of the schema added, the first one first. */
  readonly migrations: readonly string[];
  readonly tables: readonly string[];
  /** What goes with the file when somebody parts with it. */
  readonly loss: string;
  /**
   * What a commit outlives: the end of the process, or also a power cut, for a wait for the
   * disk at each commit. Default `process`.
   */
  readonly outlives?: 'process' | 'power-cut';
}

const ASSIGNMENTS = `
  CREATE TABLE assignment (
    visitor    TEXT NOT NULL,
    experiment TEXT NOT NULL,
    variant    TEXT NOT NULL,
    phase      INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    expires    INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (visitor, experiment)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX assignment_expires ON assignment (expires);

  CREATE TABLE visitor_seen (
    day        TEXT NOT NULL,    -- YYYY-MM-DD, UTC
    experiment TEXT NOT NULL,
    phase      INTEGER NOT NULL,
    variant    TEXT NOT NULL,
    visitor    TEXT NOT NULL,
    PRIMARY KEY (day, experiment, phase, variant, visitor)
  ) WITHOUT ROWID, STRICT;

  -- How many rows of visitor_seen there are, so that a scrape does not count them.
  CREATE TABLE visitor_total (
    day        TEXT NOT NULL,
    experiment TEXT NOT NULL,
    phase      INTEGER NOT NULL,
    variant    TEXT NOT NULL,
    visitors   INTEGER NOT NULL,
    PRIMARY KEY (day, experiment, phase, variant)
  ) WITHOUT ROWID, STRICT;
`;

// Numbers are never used twice, so that who has seen the last one misses none.
const CHANGES = `
  CREATE TABLE visitor_change (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    visitor TEXT NOT NULL,
    time    INTEGER NOT NULL     -- milliseconds since 1970
  ) STRICT;
`;

export const LEDGER: Contents = {
  name: 'ledger',
  migrations: [ASSIGNMENTS, CHANGES],
  tables: ['assignment', 'visitor_seen', 'visitor_total', 'visitor_change'],
  loss: 'visitors keep their variant by cookie and hash, and unique visitors are counted afresh',
};

export const SNAPSHOT: Contents = {
  name: 'experiment file',
  migrations: [
    `CREATE TABLE snapshot (
       only INTEGER PRIMARY KEY CHECK (only = 1),
       text TEXT NOT NULL
     ) STRICT;`,
  ],
  tables: ['snapshot'],
  loss: 'the API publishes its experiments into it again',
};

/** Milliseconds to wait for the other processes while they open the same file. */
const OPEN_TIMEOUT = 5_000;
/** Milliseconds from one try to enter WAL mode to the next. */
const OPEN_PAUSE = 10;
/**
 * Milliseconds a call may block the event loop for another process's transaction. Those
 * take well under one; who waits longer goes back to the event loop and tries again.
 */
const BUSY_TIMEOUT = 5;

/**
 * Opens a file, and makes it if there is none.
 *
 * WAL lets readers of any process go on while one writes; `synchronous = NORMAL` loses
 * the last moments in a power cut, not in a crash of the process, and corrupts nothing.
 * `FULL` loses nothing.
 *
 * @throws Error that says which file, and what is wrong with it
 */
export function openDatabase(file: string, contents: Contents): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    database = new DatabaseSync(file, { timeout: OPEN_TIMEOUT });
    enterWal(database);
    const synchronous = contents.outlives === 'power-cut' ? 'FULL' : 'NORMAL';
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    migrate(database, contents.migrations);
    // Reads the whole schema now, so that a file of something else is refused here.
    for (const table of contents.tables) database.exec(`SELECT 1 FROM ${table} LIMIT 1`);
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    return database;
  } catch (error) {
    database?.close();
    throw new Error(describeProblem(file, contents, error), { cause: error });
  }
}

/** The file as a newer version made it. */
class NewerSchema extends Error {}

function describeProblem(file: string, { name, loss }: Contents, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  // What goes with the file, told by each message that may lead somebody to part with it.
  const anew = `move it away and a new one is made: ${loss}`;
  if (error instanceof NewerSchema) {
    return `${file} can't be used: ${reason}. Start that version again, or ${anew}`;
  }
  switch (primaryResultCode(error)) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return `${file} is damaged: ${reason}. Restore it from a backup, or ${anew}`;
    case SQLITE_BUSY:
      return `${file} is locked by another program for more than ${OPEN_TIMEOUT / 1_000} s. End that program, or wait for it`;
    case SQLITE_ERROR:
      return `${file} is no ${name}: ${reason}. Name another data folder, or ${anew}`;
    default:
      return `Can't open the ${name} ${file}: ${reason}. Make its folder writable for this user, or name another`;
  }
}

/**
 * A file that is not in WAL mode yet is read first, and then locked. SQLite waits for no other
 * process in between, since two that read and want to write would wait for each other; so of
 * those that make the file at once, one is refused on the spot whatever the timeout.
 */
function enterWal(database: DatabaseSync): void {
  const deadline = performance.now() + OPEN_TIMEOUT;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (primaryResultCode(error) !== SQLITE_BUSY || performance.now() > deadline) throw error;
      Atomics.wait(pause, 0, 0, OPEN_PAUSE);
    }
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  // The lock makes the processes that start together take turns.
  database.exec('BEGIN IMMEDIATE');
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  const newest = migrations.length;
  if (version > newest) {
    throw new NewerSchema(`it was made by a newer version (schema ${version}, not ${newest})`);
  }
  for (const migration of migrations.slice(version)) database.exec(migration);
  if (version < newest) database.exec(`PRAGMA user_version = ${newest}`);
  database.exec('COMMIT');
}
