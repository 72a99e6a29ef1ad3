import { SQLITE_BUSY, primaryResultCode } from '@turnout/router-core/embedded-database';
import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

/**
 * Locks a file for this process; undefined when another one has it.
 *
 * The lock is one of the operating system's, taken by SQLite: it ends with the process,
 * however that ends, so there is none to go stale. The file stays, empty.
 *
 * @throws Error when the file can't be written
 */
export function lockFile(file: string): FileLock | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (primaryResultCode(error) === SQLITE_BUSY) return undefined;
    throw error;
  }
}
