// One log file per process, in the data folder.

import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

/** Past this size (bytes) a log is set aside as `<name>.log.1` at the next start. */
const rotateAboveBytes = 5 * 1024 * 1024;

/** At most this much (bytes) of the end of a log is read to quote from it. */
const quoteFromBytes = 64 * 1024;

export function logPath(folder: string, name: string): string {
  return path.join(folder, `${name}.log`);
}

/** Sets a log aside if it has grown large; the one set aside before it goes. */
export function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateAboveBytes) renameSync(file, `${file}.1`);
}

/** A file descriptor to append to `file`, and the size (bytes) that it has now. */
export function openLog(file: string): { descriptor: number; offset: number } {
  const descriptor = openSync(file, 'a', 0o600);
  return { descriptor, offset: fstatSync(descriptor).size };
}

/**
 * The last lines written to `file` at or after `offset` (bytes).
 *
 * @param count at most this many lines
 */
export function lastLines(file: string, offset: number, count: number): string[] {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(offset, size - quoteFromBytes);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const read = readSync(descriptor, buffer, 0, buffer.length, from);
    const lines = buffer.toString('utf8', 0, read).split(/\r?\n/);
    return lines.filter((line) => line.trim() !== '').slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
