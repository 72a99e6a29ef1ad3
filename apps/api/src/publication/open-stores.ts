import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger, SnapshotStore } from '@turnout/router-core';
import { createEmbeddedSnapshotStore, createEmbeddedStore } from '@turnout/router-core/embedded';
import { createRedisSnapshotStore, createRedisStore } from '@turnout/router-core/redis';

/** How long a visitor is remembered after their last visit, in ms; as the edge has it. */
const TTL = 180 * 86_400_000;

/** What the API shares with the edges. */
export interface SharedStores {
  readonly ledger: Ledger;
  readonly snapshots: SnapshotStore;
  close(): Promise<void>;
}

/** The stores can not be opened; the message says what to change. */
export class StoresUnusable extends Error {
  override readonly name = 'StoresUnusable';
}

/**
 * Opens them where the edges have them: in Redis, or in the data folder. Redis may be out of
 * reach; calls reject until it is there.
 *
 * @throws StoresUnusable for a URL that is none, or files that can't be used
 */
export function openStores(redisUrl: string | undefined, dataFolder: string): SharedStores {
  try {
    const { ledger, snapshots } = redisUrl === undefined ? embedded(dataFolder) : redis(redisUrl);
    return {
      ledger,
      snapshots,
      async close() {
        await Promise.all([ledger.close(), snapshots.close()]);
      },
    };
  } catch (error) {
    throw new StoresUnusable(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

function redis(url: string) {
  return {
    ledger: createRedisStore({ url, ttl: TTL }),
    snapshots: createRedisSnapshotStore({ url }),
  };
}

function embedded(dataFolder: string) {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  return {
    ledger: createEmbeddedStore({ file: join(dataFolder, 'ledger.sqlite'), ttl: TTL }),
    snapshots: createEmbeddedSnapshotStore({ file: join(dataFolder, 'experiments.sqlite') }),
  };
}
