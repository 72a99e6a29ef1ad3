import { inspectRedis } from '@turnout/router-core/redis';
import type { Logger } from '../log.ts';

/** How long a Redis may take to say how it keeps what it confirms, in ms. */
const PATIENCE = 30_000;

/**
 * Warns of each server of the event log that confirms events before they are on its disk: a 202
 * promises more than it holds then. Nothing is said of one that is out of reach, or that lets
 * nobody ask. Never rejects.
 *
 * @param redis its URL
 */
export async function warnOfLossyRedis(redis: string, log: Pick<Logger, 'warn'>): Promise<void> {
  const reports = await inspectRedis(redis, PATIENCE).catch(() => []);
  for (const { address, appendOnly, appendFsync } of reports) {
    if (appendOnly && (appendFsync ?? 'always') === 'always') continue;
    const got = appendOnly ? `appendfsync ${appendFsync}` : 'appendonly no';
    log.warn(
      { redis: address, expected: 'appendonly yes, appendfsync always', got },
      'Redis can lose results that were answered with 202: set appendonly yes and appendfsync always',
    );
  }
}
