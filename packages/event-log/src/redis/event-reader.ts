import type { EventReader, LoggedEvent } from '../event-log.ts';
import { poll } from '../poll.ts';
import { DEFAULT_PARTITIONS, keyOf, openStreams } from './stream.ts';
import type { RedisStreamOptions } from './stream.ts';

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
  /** Where the next read begins, so that no stream waits for the end of another. */
  let next = 0;

  async function takeFrom(partition: number, limit: number): Promise<LoggedEvent[]> {
    const taken = await streams.call((redis) =>
      redis.takeEvents(keyOf(partition), GROUP, name, limit, lease),
    );
    return taken.map(([id, text]) => ({ id: `${partition}/${id}`, text }));
  }

  /**
   * Takes from one stream after the other. One that is out of reach holds up no other: it is
   * an error only for who gets nothing.
   */
  async function take(limit: number): Promise<readonly LoggedEvent[]> {
    const taken: LoggedEvent[] = [];
    let failure: { readonly error: unknown } | undefined;
    for (let turn = 0; turn < partitions && taken.length < limit; turn += 1) {
      const partition = next;
      next = (next + 1) % partitions;
      try {
        taken.push(...(await takeFrom(partition, limit - taken.length)));
      } catch (error) {
        failure = { error };
      }
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
