import { join } from 'node:path';
import { eventSchema, type TrackingEvent } from '@turnout/contracts/event';
import type { EventReader } from '@turnout/event-log';
import { createEmbeddedEventReader } from '@turnout/event-log/embedded';
import { createRedisEventReader } from '@turnout/event-log/redis';

const BATCH = 1_000;
/** How long to wait for more, in ms: longer than an edge gathers events. */
const QUIET = 400;

/** What edges wrote to their event log, for tests to read in place of the API. */
export interface LoggedEvents {
  /**
   * Waits until nothing more comes, and takes what is there off the log.
   *
   * @throws {Error} for an event that is none
   */
  take(): Promise<TrackingEvent[]>;
  close(): Promise<void>;
}

/** @param where a Redis URL, or the data folder of an edge without one */
export function readLoggedEvents(where: { redis: string } | { dataDir: string }): LoggedEvents {
  const name = 'test';
  const reader: EventReader =
    'redis' in where
      ? createRedisEventReader({ url: where.redis, name })
      : createEmbeddedEventReader({ file: join(where.dataDir, 'events.sqlite'), name });
  return {
    async take() {
      const taken: TrackingEvent[] = [];
      for (;;) {
        const events = await reader.read(BATCH, QUIET);
        if (events.length === 0) return taken;
        taken.push(...events.map(({ text }) => eventSchema.parse(JSON.parse(text))));
        await reader.ack(events.map(({ id }) => id));
      }
    },
    close: () => reader.close(),
  };
}
