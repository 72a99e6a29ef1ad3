import pino, { type Logger } from 'pino';

export type { Logger };

/** How long a line may wait in memory, in ms. */
const FLUSH_EVERY = 1_000;

export interface ProcessLog {
  readonly log: Logger;
  /** Writes what waits, at once; for the end of the process. */
  readonly flush: () => void;
}

/**
 * The process's log: JSON lines on standard output, in batches.
 *
 * @param bindings fields that every line carries, such as the worker's number
 */
export function createLog(bindings: Readonly<Record<string, unknown>>): ProcessLog {
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: 2_048,
    // Workers share one pipe, and the kernel keeps writes up to this size whole
    // (PIPE_BUF on Linux): lines of two workers never mix.
    maxWrite: 4_096,
  });
  const log = pino({ base: bindings, timestamp: pino.stdTimeFunctions.epochTime }, destination);
  setInterval(() => destination.flush(), FLUSH_EVERY).unref();
  return {
    log,
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // Standard output is gone: there is nobody left to tell.
      }
    },
  };
}
