import type { EventLog } from '../event-log.ts';
import { cutIntoPieces } from './pieces.ts';
import { DEFAULT_PARTITIONS, keyOf, openStreams } from './stream.ts';
import type { RedisStreamOptions } from './stream.ts';

export interface RedisEventLogOptions extends RedisStreamOptions {
  /** In [0, 1): which stream this log appends to. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Opens the log for appending. All that one log appends goes to one stream, so that its events
 * stay in order; with as many logs as there are workers, the streams fill evenly.
 *
 * With `appendonly yes`, events are in Redis's file before `append` resolves: they survive the
 * end of its process, however it ends. With `appendfsync everysec` a power cut takes the last
 * second; a fail-over, what the replica did not have yet.
 *
 * @throws TypeError for a URL that is none
 */
export function createRedisEventLog(options: RedisEventLogOptions): EventLog {
  const { partitions = DEFAULT_PARTITIONS, random = Math.random } = options;
  const streams = openStreams(options);
  const own = keyOf(Math.floor(random() * partitions));

  return {
    async append(events) {
      // Sent at once: one connection keeps them in order. All are waited for, so that nothing
      // of this batch is under way any more when it is said to have failed.
      const pieces = [...cutIntoPieces(events)].map((piece) =>
        streams.call((redis) => redis.appendEvents(own, ...piece)),
      );
      const failed = (await Promise.allSettled(pieces)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    },
    async lag() {
      try {
        const lengths = Array.from({ length: partitions }, (_, partition) =>
          streams.call((redis) => redis.xlen(keyOf(partition))),
        );
        return (await Promise.all(lengths)).reduce((sum, length) => sum + length, 0);
      } catch {
        return undefined;
      }
    },
    close: () => streams.close(),
  };
}
