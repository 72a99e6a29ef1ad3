import { join } from 'node:path';
import type { Config } from '@turnout/contracts';
import type { SnapshotStore } from '@turnout/router-core';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { createRedisSnapshotStore } from '@turnout/router-core/redis';

/**
 * Opens the place where experiments are published for this edge: Redis, or a file in the data
 * folder.
 *
 * @throws {Error} when the file can't be used
 */
export function openSnapshotStore(config: Pick<Config, 'redis'>, dataDir: string): SnapshotStore {
  if (config.redis !== undefined) return createRedisSnapshotStore({ url: config.redis });
  return createEmbeddedSnapshotStore({ file: join(dataDir, 'experiments.sqlite') });
}
