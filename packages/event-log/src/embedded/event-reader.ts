import { createGroupCommit, openDatabase } from '@turnout/router-core/embedded-database';
import type { EventReader, LoggedEvent } from '../event-log.ts';
import { poll } from '../poll.ts';
import { EVENTS } from './event-file.ts';

export interface EmbeddedEventReaderOptions {
  /** Path of the file. Its folder is made if it does not exist. */
  readonly file: string;
  /**
   * Tells this reader from the others. No two processes may have the same name at a time; one
   * that comes back under its name goes on with what it left.
   */
  readonly name: string;
  /**
   * Milliseconds that a reader may keep events without acknowledging them; then they are given
   * to another. Default 30,000.
   */
  readonly lease?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

const LEASE = 30_000;

/**
 * Opens a reader. Its writes outlive the process but not a power cut, after which events may
 * come again.
 *
 * @throws Error that names the file and the reason when it cannot be opened or written
 */
export function createEmbeddedEventReader(options: EmbeddedEventReaderOptions): EventReader {
  const { file, name, lease = LEASE, now = Date.now } = options;
  const database = openDatabase(file, EVENTS);
  const writes = createGroupCommit(database);

  const selectAny = database.prepare('SELECT 1 FROM event LIMIT 1');
  const renewLeases = database.prepare(
    'UPDATE lease SET reader = ?1, expires = ?2 WHERE reader = ?1 OR expires <= ?3',
  );
  const selectLeased = database.prepare(
    `SELECT number, text FROM lease JOIN event ON number BETWEEN first AND last
     WHERE reader = ? ORDER BY number LIMIT ?`,
  );
  const selectNew = database.prepare(
    `SELECT number, text FROM event
     WHERE number > (SELECT coalesce(max(last), 0) FROM lease) ORDER BY number LIMIT ?`,
  );
  const insertLease = database.prepare('INSERT INTO lease VALUES (?, ?, ?, ?)');
  const deleteEvents = database.prepare(
    'DELETE FROM event WHERE number IN (SELECT value FROM json_each(?))',
  );
  const takeFromBacklog = database.prepare('UPDATE backlog SET events = events - ?');
  const deleteEmptyLeases = database.prepare(
    'DELETE FROM lease WHERE NOT EXISTS (SELECT 1 FROM event WHERE number BETWEEN first AND last)',
  );
  let closing: Promise<void> | undefined;

  async function take(limit: number): Promise<LoggedEvent[]> {
    // Most looks find nothing, and need no lock for that.
    if (selectAny.get() === undefined) return [];
    return writes.submit(() => {
      const time = now();
      renewLeases.run(name, time + lease, time);
      const leased = selectLeased.all(name, limit).map(toEvent);
      if (leased.length >= limit) return leased;
      const fresh = selectNew.all(limit - leased.length).map(toEvent);
      const [first, last] = [fresh.at(0), fresh.at(-1)];
      if (first !== undefined && last !== undefined) {
        insertLease.run(Number(first.id), Number(last.id), name, time + lease);
      }
      return [...leased, ...fresh];
    });
  }

  return {
    read: (limit, wait) => poll(() => take(limit), wait),
    async ack(ids) {
      const numbers = JSON.stringify(ids.map(parseId));
      await writes.submit(() => {
        takeFromBacklog.run(deleteEvents.run(numbers).changes);
        deleteEmptyLeases.run();
      });
    },
    close() {
      closing ??= writes.drained().then(() => database.close());
      return closing;
    },
  };
}

function toEvent(row: Record<string, unknown>): LoggedEvent {
  return { id: String(row['number']), text: String(row['text']) };
}

/** @throws TypeError for an id that no reader gave */
function parseId(id: string): number {
  if (!/^\d+$/.test(id)) {
    throw new TypeError(`Expected the id of an event that was read, got "${id}"`);
  }
  return Number(id);
}
