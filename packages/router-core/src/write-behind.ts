import type { Departure, StoredAssignment } from './store.ts';
import type { VisitorId } from './visitor-cookie.ts';

/** An assignment on its way to the store. */
export interface PendingWrite {
  readonly visitor: VisitorId;
  readonly experiment: string;
  readonly proposal: StoredAssignment;
  readonly variants: readonly string[];
  readonly departures: readonly Departure[];
}

/**
 * Assignments that nobody waits for, oldest first. One place per visitor and experiment;
 * when all places are taken the oldest is dropped, and counted: its visitor still has the
 * cookie's mirror and the hash.
 */
export interface WriteBehind {
  readonly length: number;
  readonly dropped: number;
  push(write: PendingWrite): void;
  /** Takes out up to `limit` writes, oldest first. */
  take(limit: number): readonly PendingWrite[];
  /** Puts a write of the last batch back that failed, unless a newer one took its place. */
  putBack(write: PendingWrite): void;
  /** Up to `count` writes from the oldest to the newest, left in their places. */
  sample(count: number): readonly PendingWrite[];
  /**
   * Drops a visitor's writes; those of the last batch are not put back.
   *
   * @param experiments all that writes may be about
   */
  forget(visitor: VisitorId, experiments: Iterable<string>): void;
}

export function createWriteBehind(capacity: number): WriteBehind {
  // A Map keeps the order of insertion, which makes it the queue and the index at once.
  const queue = new Map<string, PendingWrite>();
  let batch: ReadonlySet<PendingWrite> = new Set();
  let dropped = 0;

  function push(write: PendingWrite): void {
    const key = keyOf(write);
    queue.delete(key);
    queue.set(key, write);
    if (queue.size <= capacity) return;
    const [oldest] = queue.keys();
    if (oldest !== undefined) queue.delete(oldest);
    dropped += 1;
  }

  return {
    get length() {
      return queue.size;
    },
    get dropped() {
      return dropped;
    },
    push,
    take(limit) {
      const taken: PendingWrite[] = [];
      for (const [key, write] of queue) {
        if (taken.length === limit) break;
        queue.delete(key);
        taken.push(write);
      }
      batch = new Set(taken);
      return taken;
    },
    putBack(write) {
      if (batch.has(write) && !queue.has(keyOf(write))) push(write);
    },
    sample(count) {
      const all = [...queue.values()];
      const last = all.length - 1;
      const places = new Set(
        Array.from({ length: count }, (_, n) => Math.round((n * last) / (count - 1))),
      );
      return all.filter((_, place) => places.has(place));
    },
    forget(visitor, experiments) {
      for (const experiment of experiments) queue.delete(visitor + experiment);
      batch = new Set([...batch].filter((write) => write.visitor !== visitor));
    },
  };
}

// Ids have one length, so the parts cannot run into each other.
function keyOf({ visitor, experiment }: PendingWrite): string {
  return visitor + experiment;
}
