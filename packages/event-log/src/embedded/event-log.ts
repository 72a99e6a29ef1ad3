import { createGroupCommit, openDatabase } from '@turnout/router-core/embedded-database';
import type { EventLog } from '../event-log.ts';
import { EVENTS } from './event-file.ts';

export interface EmbeddedEventLogOptions {
  /** Path of the file. Its folder is made if it does not exist. */
  readonly file: string;
  /** Size that the file may grow to; beyond it `append` rejects. Default 1 GiB. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 1_073_741_824;

/**
 * Opens the log for appending. Batches of one turn of the event loop share a transaction,
 * which is on the disk before `append` resolves: not even a power cut takes them.
 *
 * @throws Error that names the file and the reason when it cannot be opened or written
 */
export function createEmbeddedEventLog(options: EmbeddedEventLogOptions): EventLog {
  const { file, maxBytes = MAX_BYTES } = options;
  const database = openDatabase(file, { ...EVENTS, outlives: 'power-cut' });
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
  const writes = createGroupCommit(database);
  const insert = database.prepare('INSERT INTO event (text) VALUES (?)');
  const addToBacklog = database.prepare('UPDATE backlog SET events = events + ?');
  const selectBacklog = database.prepare('SELECT events FROM backlog');
  let closing: Promise<void> | undefined;

  return {
    append: (events) =>
      writes.submit(() => {
        for (const event of events) insert.run(event);
        addToBacklog.run(events.length);
      }),
    async lag() {
      try {
        return Number(selectBacklog.get()?.['events']);
      } catch {
        return undefined;
      }
    },
    close() {
      closing ??= writes.drained().then(() => database.close());
      return closing;
    },
  };
}
