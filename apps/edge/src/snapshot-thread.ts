import { parentPort, workerData } from 'node:worker_threads';
import { createSnapshotReader, type Config } from '@turnout/contracts';
import { configProblems } from './config-problems.ts';
import type { HeldSnapshot } from './held-snapshot.ts';
import { createLastGood } from './last-good.ts';
import { SnapshotFollower, type FromFollower } from './snapshot-follower.ts';
import { openSnapshotStore } from './snapshot-store.ts';

// A thread of the primary. Reading and checking a thousand experiments takes seconds, and the
// primary accepts every new connection.

/** What the primary starts the thread with. */
export interface ThreadSettings {
  readonly dataDir: string;
  readonly redis: Config['redis'];
  /** Names that experiments may refer to. */
  readonly upstreams: readonly string[];
  /** What counts until something else is found. */
  readonly present: HeldSnapshot;
}

/** What the thread tells the primary. */
export type FromThread =
  | FromFollower
  /** The store can't be used. */
  | { readonly kind: 'hopeless'; readonly reason: string };

const settings: ThreadSettings = workerData;
const { dataDir, redis, upstreams, present } = settings;

try {
  const follower = new SnapshotFollower({
    store: openSnapshotStore(redis === undefined ? {} : { redis }, dataDir),
    lastGood: createLastGood(dataDir, redis === undefined ? 'embedded' : 'redis'),
    read: createSnapshotReader(upstreams, configProblems),
    present: {
      ...present,
      experiments: present.experiments.map(({ text }) => ({ document: JSON.parse(text), text })),
    },
    tell,
  });
  // Whatever it says: there is nothing to follow any more.
  parentPort?.once('message', () => void follower.close().finally(() => parentPort?.close()));
  await follower.begin();
  follower.follow();
} catch (error) {
  tell({ kind: 'hopeless', reason: error instanceof Error ? error.message : String(error) });
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}
