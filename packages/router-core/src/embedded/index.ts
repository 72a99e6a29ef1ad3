import { setTimeout as delay } from 'node:timers/promises';
import { VISITOR_DAYS, checkDay, stands } from '../store.ts';
import type { Ledger, StoredAssignment } from '../store.ts';
import { visitorId } from '../visitor-cookie.ts';
import type { VisitorId } from '../visitor-cookie.ts';
import { createGroupCommit } from './group-commit.ts';
import { LEDGER, openDatabase } from './open.ts';

export { createEmbeddedSnapshotStore } from './snapshot-store.ts';
export type { EmbeddedSnapshotStoreOptions } from './snapshot-store.ts';

/** The ledger and the visitor counter in one SQLite file, for all processes of a machine. */

export interface EmbeddedStoreOptions {
  /** Path of the file. Its folder is made if it does not exist. */
  readonly file: string;
  /** Milliseconds a visitor is remembered after their last request that asked the store. */
  readonly ttl: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

type Row = Record<string, unknown>;

const PURGE_LIMIT = 500;
/**
 * Visitors counted in one transaction: about 20 ms in a file of many, as each falls on a page
 * of its own. And the milliseconds until the next one.
 */
const ADD_LIMIT = 200;
const ADD_PAUSE = 3;
/** Milliseconds between looks for expired rows: when there may be more, when there are not. */
const PURGE_SOON = 1_000;
const PURGE_LATER = 600_000;
/** Milliseconds between looks for visitors that another process has changed. */
const CHANGES_POLL = 200;
/** Milliseconds that a change is kept for those who look: longer than anybody hangs unseen. */
const CHANGES_KEPT = 86_400_000;

/**
 * Opens the store. Reads answer at once; writes are committed in groups.
 *
 * @throws Error that names the file and the reason when it cannot be opened or written
 */
export function createEmbeddedStore(options: EmbeddedStoreOptions): Ledger {
  const { file, ttl, now = Date.now } = options;
  const database = openDatabase(file, LEDGER);
  const writes = createGroupCommit(database);

  const selectOne = database.prepare(
    'SELECT variant, phase, revision, expires FROM assignment WHERE visitor = ? AND experiment = ? AND expires > ?',
  );
  const selectAll = database.prepare(
    'SELECT experiment, variant, phase, revision FROM assignment WHERE visitor = ? AND expires > ?',
  );
  const upsert = database.prepare('INSERT OR REPLACE INTO assignment VALUES (?, ?, ?, ?, ?, ?)');
  // A visitor's assignments live and expire together, as the fields of one Redis key do.
  const slide = database.prepare(
    'UPDATE assignment SET expires = ? WHERE visitor = ? AND expires > ?',
  );
  const purgeAssignments = database.prepare(
    `DELETE FROM assignment WHERE (visitor, experiment) IN
       (SELECT visitor, experiment FROM assignment WHERE expires <= ? LIMIT ${PURGE_LIMIT})`,
  );
  const insertSeen = database.prepare('INSERT OR IGNORE INTO visitor_seen VALUES (?, ?, ?, ?, ?)');
  const addTotal = database.prepare(
    `INSERT INTO visitor_total VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET visitors = visitors + excluded.visitors`,
  );
  const selectTotal = database.prepare(
    'SELECT visitors FROM visitor_total WHERE day = ? AND experiment = ? AND phase = ? AND variant = ?',
  );
  const purgeSeen = database.prepare(
    `DELETE FROM visitor_seen WHERE (day, experiment, phase, variant, visitor) IN
       (SELECT day, experiment, phase, variant, visitor FROM visitor_seen WHERE day < ? LIMIT ${PURGE_LIMIT})`,
  );
  const purgeTotals = database.prepare('DELETE FROM visitor_total WHERE day < ?');
  const countDistinct = database.prepare(
    `SELECT COUNT(DISTINCT visitor) AS visitors FROM visitor_seen
     WHERE day IN (SELECT value FROM json_each(?)) AND experiment = ? AND phase = ? AND variant = ?`,
  );
  const deleteAssignments = database.prepare('DELETE FROM assignment WHERE visitor = ?');
  const countLiving = database.prepare(
    'SELECT COUNT(*) AS assignments FROM assignment WHERE visitor = ? AND expires > ?',
  );
  const selectTotals = database.prepare(
    'SELECT day, experiment, phase, variant FROM visitor_total',
  );
  const deleteSeen = database.prepare(
    'DELETE FROM visitor_seen WHERE day = ? AND experiment = ? AND phase = ? AND variant = ? AND visitor = ?',
  );
  const insertChange = database.prepare('INSERT INTO visitor_change (visitor, time) VALUES (?, ?)');
  const selectChanges = database.prepare(
    'SELECT number, visitor FROM visitor_change WHERE number > ? ORDER BY number',
  );
  const selectLastChange = database.prepare(
    "SELECT seq FROM sqlite_sequence WHERE name = 'visitor_change'",
  );
  const purgeChanges = database.prepare('DELETE FROM visitor_change WHERE time < ?');

  let nextPurge = now() + PURGE_SOON;
  const adding = new Set<Promise<void>>();
  const watches = new Set<{ close(): void }>();
  let closing: Promise<void> | undefined;

  /** Deletes some of what has expired. Runs inside a transaction that writes anyway. */
  function purge(time: number): void {
    if (time < nextPurge) return;
    const oldestDay = new Date(time - VISITOR_DAYS * 86_400_000).toISOString().slice(0, 10);
    const deleted = [purgeAssignments.run(time), purgeSeen.run(oldestDay)];
    purgeTotals.run(oldestDay);
    purgeChanges.run(time - CHANGES_KEPT);
    const isMore = deleted.some(({ changes }) => changes === PURGE_LIMIT);
    nextPurge = time + (isMore ? PURGE_SOON : PURGE_LATER);
  }

  /** Writes visitors in transactions that leave the lock, and the event loop, in between. */
  async function addInPieces(
    visitors: readonly VisitorId[],
    write: (some: readonly VisitorId[]) => void,
  ): Promise<void> {
    for (let from = 0; from < visitors.length; from += ADD_LIMIT) {
      if (from > 0) await delay(ADD_PAUSE);
      await writes.submit(() => write(visitors.slice(from, from + ADD_LIMIT)));
    }
  }

  /** Tells who looks that a visitor is another. Runs inside the transaction of the change. */
  function noteChange(visitor: VisitorId, time: number): void {
    purgeChanges.run(time - CHANGES_KEPT);
    insertChange.run(visitor, time);
  }

  function readChanges(since: number): { number: number; visitor: VisitorId }[] {
    try {
      return selectChanges.all(since).map((row) => ({
        number: Number(row['number']),
        visitor: visitorId(String(row['visitor'])),
      }));
    } catch {
      // Locked, or damaged under our feet: the next look finds out.
      return [];
    }
  }

  /** Deletes that a visitor was seen. There is no index by visitor; each group has one. */
  function unsee(visitor: VisitorId): void {
    for (const row of selectTotals.all()) {
      const { day, experiment, phase, variant } = toGroup(row);
      const { changes } = deleteSeen.run(day, experiment, phase, variant, visitor);
      if (changes > 0) addTotal.run(day, experiment, phase, variant, -Number(changes));
    }
  }

  return {
    async getOrSet(visitor, experiment, proposal, variants, departures) {
      const readStanding = (): { stored: StoredAssignment; expires: number } | undefined => {
        const row = selectOne.get(visitor, experiment, now());
        if (row === undefined) return undefined;
        const stored = toAssignment(row);
        if (!stands(stored, proposal, variants, departures)) return undefined;
        return { stored, expires: Number(row['expires']) };
      };
      const known = readStanding();
      // As in Redis, the time to live is written again once a 64th of it has passed.
      if (known !== undefined && known.expires >= now() + ttl - ttl / 64) {
        return { ...known.stored, written: false };
      }
      return writes.submit(() => {
        const time = now();
        purge(time);
        const standing = readStanding();
        slide.run(time + ttl, visitor, time);
        if (standing !== undefined) return { ...standing.stored, written: false };
        const { variant, phase, revision } = proposal;
        upsert.run(visitor, experiment, variant, phase, revision, time + ttl);
        return { variant, phase, revision, written: true };
      });
    },
    async get(visitor) {
      return new Map(
        selectAll
          .all(visitor, now())
          .map((row): [string, StoredAssignment] => [String(row['experiment']), toAssignment(row)]),
      );
    },
    set: (visitor, experiment, { variant, phase, revision }) =>
      writes.submit(() => {
        const time = now();
        slide.run(time + ttl, visitor, time);
        upsert.run(visitor, experiment, variant, phase, revision, time + ttl);
        noteChange(visitor, time);
      }),
    forget: (visitor) =>
      writes.submit(() => {
        const time = now();
        const assignments = Number(countLiving.get(visitor, time)?.['assignments']);
        deleteAssignments.run(visitor);
        unsee(visitor);
        noteChange(visitor, time);
        return assignments;
      }),
    onChanged(listener) {
      let last = Number(selectLastChange.get()?.['seq'] ?? 0);
      const timer = setInterval(() => {
        for (const { number, visitor } of readChanges(last)) {
          last = number;
          listener(visitor);
        }
      }, CHANGES_POLL);
      const watch = {
        close() {
          clearInterval(timer);
          watches.delete(watch);
        },
      };
      watches.add(watch);
      return watch;
    },
    visitors: {
      async add(experiment, phase, variant, day, visitors) {
        checkDay(day);
        const call = addInPieces(visitors, (some) => {
          purge(now());
          let added = 0;
          for (const visitor of some) {
            added += Number(insertSeen.run(day, experiment, phase, variant, visitor).changes);
          }
          if (added > 0) addTotal.run(day, experiment, phase, variant, added);
        });
        adding.add(call);
        await call.finally(() => adding.delete(call));
      },
      async count(experiment, phase, variant, day) {
        checkDay(day);
        return Number(selectTotal.get(day, experiment, phase, variant)?.['visitors'] ?? 0);
      },
      async countOver(experiment, phase, variant, days) {
        for (const day of days) checkDay(day);
        const row = countDistinct.get(JSON.stringify(days), experiment, phase, variant);
        return Number(row?.['visitors']);
      },
    },
    ready: async () => database.isOpen,
    close() {
      for (const watch of watches) watch.close();
      closing ??= Promise.allSettled(adding)
        .then(() => writes.drained())
        .then(() => database.close());
      return closing;
    },
  };
}

function toAssignment(row: Row): StoredAssignment {
  return {
    variant: String(row['variant']),
    phase: Number(row['phase']),
    revision: Number(row['revision']),
  };
}

function toGroup(row: Row): { day: string; experiment: string; phase: number; variant: string } {
  return {
    day: String(row['day']),
    experiment: String(row['experiment']),
    phase: Number(row['phase']),
    variant: String(row['variant']),
  };
}
