import type { SnapshotStore } from '../snapshot-store.ts';
import { createGroupCommit } from './group-commit.ts';
import { SNAPSHOT, openDatabase } from './open.ts';

/** What is published to all edges of a machine, in a small SQLite file. */

export interface EmbeddedSnapshotStoreOptions {
  /** Path of the file. Its folder is made if it does not exist. */
  readonly file: string;
}

/** Milliseconds between looks. A look at a file that nobody changed takes a few microseconds. */
const POLL = 200;

/**
 * Opens the store.
 *
 * @throws Error that names the file and the reason when it cannot be opened or written
 */
export function createEmbeddedSnapshotStore(options: EmbeddedSnapshotStoreOptions): SnapshotStore {
  const database = openDatabase(options.file, SNAPSHOT);
  const writes = createGroupCommit(database);
  const selectText = database.prepare('SELECT text FROM snapshot');
  const upsert = database.prepare('INSERT OR REPLACE INTO snapshot VALUES (1, ?)');
  // Another number once another connection has written. Our own writes do not count.
  const selectVersion = database.prepare('PRAGMA data_version');
  const followers = new Set<Follower>();
  let timer: NodeJS.Timeout | undefined;
  let seenVersion: number | undefined;
  let closing: Promise<void> | undefined;
  /** What was read last: a look at what nobody changed does not read it again. */
  let known: { readonly version: number; readonly text: string | undefined } | undefined;

  interface Follower {
    told: string | undefined;
    readonly listener: (text: string) => void;
  }

  function readText(): string | undefined {
    const row = selectText.get();
    return row === undefined ? undefined : String(row['text']);
  }

  function version(): number {
    return Number(selectVersion.get()?.['data_version']);
  }

  /** Tells the followers who do not know it. */
  function tell(text: string | undefined): void {
    if (text === undefined) return;
    for (const follower of followers) {
      if (follower.told === text) continue;
      follower.told = text;
      follower.listener(text);
    }
  }

  /** What to tell when the file has changed since the last look. */
  function readNews(): string | undefined {
    try {
      const seen = version();
      if (seen === seenVersion) return undefined;
      const text = readText();
      seenVersion = seen;
      return text;
    } catch {
      // Locked, or damaged under our feet: the next look finds out.
      return undefined;
    }
  }

  return {
    async publish(text) {
      await writes.submit(() => upsert.run(text));
      known = undefined;
      tell(text);
    },
    async latest() {
      const seen = version();
      if (known?.version !== seen) known = { version: seen, text: readText() };
      return known.text;
    },
    follow(listener) {
      const follower: Follower = { told: undefined, listener };
      followers.add(follower);
      timer ??= setInterval(() => tell(readNews()), POLL);
      // Makes the next look one for all: the new follower knows nothing yet.
      seenVersion = undefined;
      return { close: () => unfollow(follower) };
    },
    close() {
      for (const follower of followers) unfollow(follower);
      closing ??= writes.drained().then(() => database.close());
      return closing;
    },
  };

  function unfollow(follower: Follower): void {
    followers.delete(follower);
    if (followers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
}
