import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { SQLITE_BUSY, primaryResultCode } from './result-code.ts';

/**
 * Writes of one turn of the event loop share one transaction: a commit costs more than
 * the rows in it, and the lock is taken once.
 */
export interface GroupCommit {
  /** Runs `write` inside a transaction, and resolves with its result once committed. */
  submit<Result>(write: () => Result): Promise<Result>;
  /** Resolves once all that was submitted is settled. */
  drained(): Promise<void>;
}

interface Job {
  readonly run: () => void;
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

/** Milliseconds that other processes may hold the lock before a write fails. */
const LOCK_PATIENCE = 1_000;
const LOCK_RETRY = 3;

export function createGroupCommit(database: DatabaseSync): GroupCommit {
  let jobs: Job[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (jobs.length > 0) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      const batch = jobs;
      jobs = [];
      try {
        await begin(database);
        for (const job of batch) job.run();
        database.exec('COMMIT');
        for (const job of batch) job.committed();
      } catch (error) {
        for (const job of batch) job.failed(error);
        abandon(database);
      }
    }
    // In the same turn as the look at the queue: whoever is told of the last commit and
    // submits at once starts anew.
    working = undefined;
  }

  return {
    submit: (write) =>
      new Promise((resolve, reject) => {
        let result: ReturnType<typeof write>;
        jobs.push({
          run: () => {
            result = write();
          },
          committed: () => resolve(result),
          failed: reject,
        });
        working ??= work();
      }),
    drained: async () => {
      await working;
    },
  };
}

/** Takes the write lock, without blocking the event loop for long while others have it. */
async function begin(database: DatabaseSync): Promise<void> {
  const patience = performance.now() + LOCK_PATIENCE;
  for (;;) {
    try {
      database.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (primaryResultCode(error) !== SQLITE_BUSY || performance.now() > patience) throw error;
    }
    await delay(LOCK_RETRY);
  }
}

/** Leaves a transaction that failed, if SQLite has not done so. */
function abandon(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // What broke the transaction can break the rollback. The next BEGIN reports it.
  }
}
