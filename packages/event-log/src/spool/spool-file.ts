import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { decodeLines, encodeLines, lengthOfWholeLines } from './line.ts';

const fdatasync = promisify(fs.fdatasync);

/** Bytes that are read, and then handed on, at once; more where one line needs it. */
const BATCH = 262_144;

/** There is no room for the events: none of them was written. */
export class SpoolFull extends Error {
  override readonly name = 'SpoolFull';
  constructor(file: string, maxBytes: number) {
    super(
      `The spool ${file} has reached its ${maxBytes} bytes. ` +
        'Bring the event log back, or allow the spool more',
    );
  }
}

/** Where lines were found that are not as they were written. */
export interface SpoolDamage {
  readonly file: string;
  readonly bytes: number;
}

export interface SpoolFileOptions {
  readonly file: string;
  readonly maxBytes: number;
  readonly onDamage: (damage: SpoolDamage) => void;
}

/** One file, which one process uses at a time. */
export interface SpoolFile {
  /** Bytes that were not replayed yet, with those that are being written. */
  readonly waiting: number;
  append(events: readonly string[]): Promise<void>;
  replay(into: (events: readonly string[]) => Promise<void>): Promise<void>;
  /** Resolves once what is being written is on the disk, and a replay has ended. */
  close(): Promise<void>;
}

interface Job {
  readonly lines: Buffer;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Opens a file, and makes it if there is none. What is in it waits to be replayed.
 *
 *     0 ……… replayed ……… durable ……… reserved        (≤ maxBytes)
 *       handed on   on the disk   being written
 *
 * How far it was replayed is known to this process alone: the next one begins at the start.
 * The file is emptied when the three meet.
 *
 * @throws Error when the file can't be read and written
 */
export function openSpoolFile({ file, maxBytes, onDamage }: SpoolFileOptions): SpoolFile {
  const descriptor = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  syncFolder(dirname(file));
  let replayed = 0;
  let durable = endLastLine(descriptor);
  let reserved = durable;
  let jobs: Job[] = [];
  let writing: Promise<void> | undefined;
  let replaying: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (jobs.length > 0) {
      const group = jobs;
      jobs = [];
      const lines = Buffer.concat(group.map((job) => job.lines));
      try {
        // Where it belongs, not at the end: what a failed write left there is written over.
        await writeAll(descriptor, lines, durable);
        await fdatasync(descriptor);
        durable += lines.length;
        for (const job of group) job.written();
      } catch (error) {
        reserved -= lines.length;
        for (const job of group) job.failed(error);
      }
    }
    writing = undefined;
  }

  /** Whole lines from where the last replay came to. */
  async function readBatch(): Promise<{ bytes: Buffer; end: number }> {
    const left = durable - replayed;
    for (let size = BATCH; ; size *= 2) {
      const bytes = await readUpTo(descriptor, Math.min(size, left), replayed);
      // Also when somebody has cut the file: then there is less than there was.
      if (bytes.length < size) return { bytes, end: replayed + left };
      const length = lengthOfWholeLines(bytes);
      if (length > 0) return { bytes: bytes.subarray(0, length), end: replayed + length };
    }
  }

  async function replayAll(into: (events: readonly string[]) => Promise<void>): Promise<void> {
    const goal = reserved;
    // A write that fails gives back what was reserved for it.
    while (replayed < Math.min(goal, reserved)) {
      if (replayed === durable) {
        await writing;
        continue;
      }
      const { bytes, end } = await readBatch();
      const { events, damagedBytes } = decodeLines(bytes);
      const missing = end - replayed - bytes.length;
      if (events.length > 0) await into(events);
      if (damagedBytes + missing > 0) onDamage({ file, bytes: damagedBytes + missing });
      replayed = end;
    }
    if (reserved === 0 || replayed < reserved) return;
    // In one turn of the event loop, so that nothing is appended in between.
    fs.ftruncateSync(descriptor, 0);
    replayed = 0;
    durable = 0;
    reserved = 0;
  }

  return {
    get waiting() {
      return reserved - replayed;
    },
    async append(events) {
      if (closing !== undefined) throw new Error(`The spool ${file} was closed`);
      const lines = encodeLines(events);
      if (reserved + lines.length > maxBytes) throw new SpoolFull(file, maxBytes);
      reserved += lines.length;
      await new Promise<void>((resolve, reject) => {
        jobs.push({ lines, written: resolve, failed: reject });
        writing ??= write();
      });
    },
    async replay(into) {
      if (replaying !== undefined) throw new Error(`The spool ${file} is being replayed already`);
      replaying = replayAll(into);
      await replaying.finally(() => {
        replaying = undefined;
      });
    },
    close() {
      closing ??= Promise.allSettled([writing, replaying]).then(() => fs.closeSync(descriptor));
      return closing;
    },
  };
}

/**
 * Ends a line that a crash has torn, so that what is appended begins one of its own.
 *
 * @returns the length of the file
 */
function endLastLine(descriptor: number): number {
  const { size } = fs.fstatSync(descriptor);
  const last = Buffer.alloc(1);
  if (size === 0) return 0;
  fs.readSync(descriptor, last, 0, 1, size - 1);
  return last.toString() === '\n' ? size : size + fs.writeSync(descriptor, '\n', size);
}

/** Makes a new file's name as durable as what will be in it. */
function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function writeAll(descriptor: number, bytes: Buffer, position: number): Promise<void> {
  const write = promisify(fs.write);
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await write(
      descriptor,
      bytes,
      done,
      bytes.length - done,
      position + done,
    );
    done += bytesWritten;
  }
}

/** Fewer bytes than asked for only where the file ends. */
async function readUpTo(descriptor: number, length: number, position: number): Promise<Buffer> {
  const read = promisify(fs.read);
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await read(descriptor, bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
