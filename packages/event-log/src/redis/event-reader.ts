import type { EventReader, LoggedEvent } from '../event-log.ts';
import { poll } from '../poll.ts';
import { DEFAULT_PARTITIONS, keyOf, openStreams } from './stream.ts';
import type { Entry, RedisStreamOptions } from './stream.ts';

export interface RedisEventReaderOptions extends RedisStreamOptions {
  /**
   * Tells this reader from the others. No two processes may have the same name at a time; one
   * that comes back under its name goes on with what it left.
   */
  readonly name: string;
  /**
   * Milliseconds that a reader may keep events without acknowledging them; then they are given
   * to another. Default 30,000.
   */
  readonly lease?: number;
}

const GROUP = 'api';
const LEASE = 30_000;

/**
 * Opens a reader of the group `api`.
 *
 * @throws TypeError for a URL that is none
 */
export function createRedisEventReader(options: RedisEventReaderOptions): EventReader {
  const { name, lease = LEASE, partitions = DEFAULT_PARTITIONS } = options;
  const streams = openStreams(options);
  /** Streams in which this reader may have events that it did not acknowledge. */
  const held = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  /** Where the next look for more begins, so that no stream waits for the end of another. */
  let next = 0;

  /**
   * Takes from one stream after the other. One that is out of reach holds up no other: it is
   * an error only for who gets nothing.
   */
  async function take(limit: number): Promise<readonly LoggedEvent[]> {
    const taken: LoggedEvent[] = [];
    let failure: { readonly error: unknown } | undefined;

    /** Whether the stream had any. */
    async function look(
      partition: number,
      from: (key: string, count: number) => Promise<readonly Entry[]>,
    ): Promise<boolean> {
      try {
        const entries = await from(keyOf(partition), limit - taken.length);
        taken.push(...entries.map(([id, text]) => ({ id: `${partition}/${id}`, text })));
        return entries.length > 0;
      } catch (error) {
        failure = { error };
        // They may be given to this reader, and lost on their way.
        return true;
      }
    }

    for (const partition of held) {
      if (taken.length >= limit) break;
      const had = await look(partition, (key, count) =>
        streams.call((redis) => redis.takeOwnEvents(key, GROUP, name, count)),
      );
      if (!had) held.delete(partition);
    }
    for (let turn = 0; turn < partitions && taken.length < limit; turn += 1) {
      const partition = next;
      next = (next + 1) % partitions;
      const had = await look(partition, (key, count) =>
        streams.call((redis) => redis.takeMoreEvents(key, GROUP, name, count, lease)),
      );
      if (had) held.add(partition);
    }
    if (failure !== undefined && taken.length === 0) throw failure.error;
    return taken;
  }

  return {
    read: (limit, wait) => poll(() => take(limit), wait),
    async ack(ids) {
      const byPartition = Map.groupBy(ids.map(parseId), ({ partition }) => partition);
      await Promise.all(
        [...byPartition].map(([partition, some]) =>
          streams.call((redis) =>
            redis.acknowledgeEvents(keyOf(partition), GROUP, ...some.map(({ id }) => id)),
          ),
        ),
      );
    },
    close: () => streams.close(),
  };
}

/** @throws TypeError for an id that no reader gave */
function parseId(text: string): { partition: number; id: string } {
  const { partition, id } = /^(?<partition>\d+)\/(?<id>\d+-\d+)$/.exec(text)?.groups ?? {};
  if (partition === undefined || id === undefined) {
    throw new TypeError(`Expected the id of an event that was read, got "${text}"`);
  }
  return { partition: Number(partition), id };
}
