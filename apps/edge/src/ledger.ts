import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@turnout/contracts';
import type { Ledger } from '@turnout/router-core';
import { createEmbeddedStore } from '@turnout/router-core/embedded';
import { createRedisStore } from '@turnout/router-core/redis';

/** How long a visitor is remembered after their last visit, in ms. */
const TTL = 180 * 86_400_000;

/**
 * Opens the ledger that the configuration names: Redis, or a file in the data folder.
 *
 * @throws {Error} when the embedded store's file can't be used. Redis may be out of
 *   reach: visitors are then routed by cookie and hash.
 */
export function openLedger(config: Pick<Config, 'redis'>, dataDir: string): Ledger {
  if (config.redis !== undefined) return createRedisStore({ url: config.redis, ttl: TTL });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return createEmbeddedStore({ file: join(dataDir, 'ledger.sqlite'), ttl: TTL });
}
