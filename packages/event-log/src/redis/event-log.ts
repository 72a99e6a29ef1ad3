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
 * What `append` promises is up to Redis. With `appendonly yes` and `appendfsync always` events
 * are on its disk by then. With `everysec` they are in its memory for up to a second, or two
 * while its disk is busy: a power cut takes those, and so does the end of its process, since
 * Redis puts off the write itself as long as an fsync runs. A fail-over takes what the
 * replica did not have yet.
 *
 * @throws TypeError for a URL that is none
 */
export function createRedisEventLog(options: RedisEventLogOptions): EventLog {
  const { partitions = DEFAULT_PARTITIONS, random = Math.random } = options;
  const streams = openStreams(options);
  const own = keyOf(Math.floor(random() * partitions));

  return {
    append: (events) =>
      streams.callAll((redis) =>
        [...cutIntoPieces(events)].map((piece) => redis.appendEvents(own, ...piece)),
      ),
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
