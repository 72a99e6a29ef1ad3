import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@turnout/contracts';
import type { EventLog } from '@turnout/event-log';
import { createEmbeddedEventLog } from '@turnout/event-log/embedded';
import { createRedisEventLog } from '@turnout/event-log/redis';
import { createSpool, createSpooledLog } from '@turnout/event-log/spool';
import type { Logger } from '../log.ts';

/**
 * Opens the event log that the configuration names: Redis, or a file in the data folder.
 *
 * @throws {Error} when the file can't be used. Redis may be out of reach.
 */
export function openEventLog({ redis }: Pick<Config, 'redis'>, dataDir: string): EventLog {
  if (redis !== undefined) return createRedisEventLog({ url: redis });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return createEmbeddedEventLog({ file: join(dataDir, 'events.sqlite') });
}

/** How a worker writes: `spooled` is what waits on its disk, in bytes. */
export type WorkerEventLog = EventLog & { readonly spooled: number };

/**
 * Opens the event log for a worker: while it is out of reach, events are spooled in the data
 * folder, where a worker that comes after this one finds them.
 *
 * @param isFirst at the start of the edge what can't be opened is a mistake; later it is an outage
 * @throws {Error} when `isFirst`, and the spool or the log's file can't be used
 */
export function openSpooledLog(
  config: Pick<Config, 'redis' | 'events'>,
  dataDir: string,
  isFirst: boolean,
  log: Logger,
): WorkerEventLog {
  const open = (): EventLog => openEventLog(config, dataDir);
  const direct = isFirst ? open() : reopened(open);
  try {
    const spool = createSpool({
      folder: join(dataDir, 'spool'),
      maxBytes: config.events.spoolBytes,
      onDamage: (damage) => log.error(damage, 'spooled events are damaged'),
    });
    return createSpooledLog(direct, spool, {
      onOutage: (error) =>
        log.error({ err: error }, 'the event log is out of reach: spooling events'),
      onRecovered: () => log.info('the event log is back, and has all that was spooled'),
    });
  } catch (error) {
    if (isFirst) throw error;
    log.error({ err: error }, 'events can not be spooled: they need the event log');
    return { ...direct, spooled: 0 };
  }
}

/** A log that is opened when it is needed, so that one that can't be is an outage like others. */
function reopened(open: () => EventLog): EventLog {
  let opened: EventLog | undefined;
  return {
    append: async (events) => (opened ??= open()).append(events),
    lag: async () => opened?.lag(),
    close: async () => opened?.close(),
  };
}
