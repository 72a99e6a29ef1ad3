import pino, { type Logger } from 'pino';
import sonicBoom from 'sonic-boom';

export type { Logger };

/** How long a line may wait in memory, in ms. */
const FLUSH_EVERY = 1_000;
/** How long the end of the process waits for the last lines to be written, in ms. */
const LAST_WRITE = 500;
/** Bytes that may wait for a reader that stalls or a disk that is full; then lines are dropped. */
const WAITING_MAX = 8 * 1024 * 1024;

export interface ProcessLog {
  readonly log: Logger;
  /** Writes what waits; for the end of the process. Never rejects, and does not wait for ever. */
  readonly flush: () => Promise<void>;
}

/**
 * The process's log: JSON lines on standard output, in batches.
 *
 * @param bindings fields that every line carries, such as the process's name
 */
export function createLog(bindings: Readonly<Record<string, unknown>>): ProcessLog {
  // Not pino's own destination: at the end of the process that one tries for ever to write
  // to a full disk or to a reader that is gone.
  const destination = new sonicBoom.SonicBoom({
    fd: 1,
    sync: false,
    minLength: 2_048,
    maxLength: WAITING_MAX,
    // Workers share one pipe, and the kernel keeps writes up to this size whole (PIPE_BUF on
    // Linux): lines of two workers do not mix. Access lines stay below it.
    maxWrite: 4_096,
  });
  // The edge serves whether or not anybody can read its log.
  destination.on('error', () => {});
  const log = pino({ base: bindings, timestamp: pino.stdTimeFunctions.epochTime }, destination);
  setInterval(() => destination.flush(), FLUSH_EVERY).unref();
  return {
    log,
    flush: () =>
      new Promise((resolve) => {
        const giveUp = setTimeout(resolve, LAST_WRITE);
        destination.flush(() => {
          clearTimeout(giveUp);
          resolve();
        });
      }),
  };
}
