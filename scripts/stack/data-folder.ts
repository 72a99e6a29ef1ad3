// The data folder: all that the stack keeps, for its owner's eyes alone, used by one
// stack at a time.

import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';

export interface DataFolder {
  /** Absolute. */
  readonly path: string;
  readonly logs: string;
  /** Whether the run before this one ended without letting go: killed, or the power failed. */
  readonly leftBehind: boolean;
  /** Lets another stack use the folder. */
  release(): void;
}

/**
 * Makes the folder where missing (mode 0700) and takes it for this process.
 *
 * The lock is one of the operating system's (SQLite's, on `stack.lock`): it ends with
 * the process, however that ends, so there is none to go stale. `stack.pid` only says
 * whose it is.
 *
 * @throws {Error} if it is not writable, or another stack runs on it; the message says what to do
 */
export function openDataFolder(folder: string): DataFolder {
  const logs = path.join(folder, 'logs');
  try {
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    accessSync(logs, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notWritable(folder, error);
  }
  const pidFile = path.join(folder, 'stack.pid');
  const lock = lockedOrThrow(folder, pidFile);
  let leftBehind: boolean;
  try {
    leftBehind = readPid(pidFile) !== undefined;
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw notWritable(folder, error);
  }
  return {
    path: folder,
    logs,
    leftBehind,
    release() {
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

function lockedOrThrow(folder: string, pidFile: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path.join(folder, 'stack.lock'));
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (!isBusy(error)) throw notWritable(folder, error);
    const pid = readPid(pidFile);
    throw new Error(
      `Another Turnout${pid === undefined ? '' : ` (process ${pid})`} runs on the data folder ${folder}. ` +
        'Stop it (Ctrl-C in its terminal), or give this one a folder of its own: TURNOUT_DATA_DIR=/some/where npm start',
      { cause: error },
    );
  }
}

/** SQLITE_BUSY, https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

function notWritable(folder: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    `Cannot write to the data folder ${folder}: ${why}. Make it writable, or name another: TURNOUT_DATA_DIR=/some/where npm start`,
    { cause },
  );
}
