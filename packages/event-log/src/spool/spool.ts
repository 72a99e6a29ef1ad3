import { mkdirSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from './file-lock.ts';
import type { FileLock } from './file-lock.ts';
import { openSpoolFile } from './spool-file.ts';
import type { SpoolDamage, SpoolFile } from './spool-file.ts';

export { SpoolFull } from './spool-file.ts';
export type { SpoolDamage } from './spool-file.ts';

export interface SpoolOptions {
  /** For all processes of a machine, on a local disk. Made if it does not exist. */
  readonly folder: string;
  /** Size that this process's file may grow to. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Told of lines that are not as they were written, as they are passed over. */
  readonly onDamage?: (damage: SpoolDamage) => void;
}

/** Where events are kept while the log is out of reach. */
export interface Spool {
  /** Bytes of this process's file that were not replayed yet. */
  readonly waiting: number;
  /**
   * Resolves once all of them are on the disk.
   *
   * @throws SpoolFull when there is no room for all of them; then none is kept
   */
  append(events: readonly string[]): Promise<void>;
  /**
   * Hands on what is in this process's file when it begins, in order and in batches; then what
   * processes left that have ended. A file is emptied once all of it was handed on. Rejects
   * when `into` does; the next replay then begins with the same batch. After a crash it begins
   * at the start of the file.
   */
  replay(into: (events: readonly string[]) => Promise<void>): Promise<void>;
  /** Finishes what is being written and replayed. Can be called twice. */
  close(): Promise<void>;
}

const MAX_BYTES = 67_108_864;
const LINES = /^(\d+)\.lines$/;

/**
 * Opens a spool. Each process has a file of its own: the first one by number that no living
 * process has. So one that is started in the place of another goes on with what that left, and
 * there are never more files than there were processes at a time.
 *
 * @throws Error when the folder can't be written
 */
export function createSpool(options: SpoolOptions): Spool {
  const { folder, maxBytes = MAX_BYTES, onDamage = () => {} } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = (number: number): FileLock | undefined => lockFile(join(folder, `${number}.lock`));
  const linesOf = (number: number): string => join(folder, `${number}.lines`);
  const open = (number: number): SpoolFile =>
    openSpoolFile({ file: linesOf(number), maxBytes, onDamage });

  let ownNumber = 0;
  let ownLock = lock(ownNumber);
  while (ownLock === undefined) {
    ownNumber += 1;
    ownLock = lock(ownNumber);
  }
  const held = ownLock;
  const own = open(ownNumber);
  let closing: Promise<void> | undefined;

  /** Numbers of other files that hold something. */
  async function othersInUse(): Promise<number[]> {
    const numbers = (await readdir(folder)).flatMap((name) => {
      const [, number] = LINES.exec(name) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
    return numbers.filter((number) => number !== ownNumber && statSync(linesOf(number)).size > 0);
  }

  async function replayLeft(
    number: number,
    into: (events: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const taken = lock(number);
    if (taken === undefined) return;
    const left = open(number);
    try {
      await left.replay(into);
    } finally {
      await left.close();
      taken.release();
    }
  }

  return {
    get waiting() {
      return own.waiting;
    },
    append: (events) => own.append(events),
    async replay(into) {
      await own.replay(into);
      for (const number of await othersInUse()) await replayLeft(number, into);
    },
    close() {
      closing ??= own.close().then(() => held.release());
      return closing;
    },
  };
}
