import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, EventReader } from '@turnout/event-log';
import { createEmbeddedEventLog, createEmbeddedEventReader } from '@turnout/event-log/embedded';
import { createRedisEventLog, createRedisEventReader } from '@turnout/event-log/redis';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { StoresUnusable } from '../publication/open-stores.ts';
import type { TrackingRepository } from '../repository/tracking-repository.ts';
import type { Settings } from '../settings.ts';
import { createDrainMetrics } from './drain-metrics.ts';
import { startDrain } from './drain.ts';
import type { Drain } from './drain.ts';

/**
 * How long a process may keep events before another takes them, in milliseconds. Short, as it
 * does no harm when two store the same events.
 */
const LEASE = 5_000;
/** Events of one transaction. SQLite holds up the whole process for as long as one takes. */
const BATCH = { mysql: 5_000, sqlite: 500 };

export interface TrackingOptions {
  readonly settings: Pick<Settings, 'redisUrl' | 'mysqlUrl' | 'dataFolder'>;
  readonly repository: TrackingRepository;
  readonly logger: Logger;
  readonly now: () => Date;
}

export interface OpenTracking {
  readonly metrics: Registry;
  /** Carries events from now on. */
  begin(): void;
  /** Ends with the batch under way; what is left in the log is for the next start. */
  close(): Promise<void>;
}

/**
 * Opens the event log where the edges have it: in Redis, or in the data folder.
 *
 * @throws StoresUnusable for a URL that is none, or a file that can't be used
 */
export function openTracking({ settings, repository, logger, now }: TrackingOptions): OpenTracking {
  const { redisUrl, mysqlUrl, dataFolder } = settings;
  // No name is used twice, since two processes with one name would take the same events.
  const name = randomUUID();
  const { log, reader } = openLog(redisUrl, dataFolder, name);
  const { registry, report } = createDrainMetrics(log, logger);
  let drain: Drain | undefined;
  return {
    metrics: registry,
    begin() {
      drain = startDrain({
        reader,
        repository,
        batch: mysqlUrl === undefined ? BATCH.sqlite : BATCH.mysql,
        now,
        pause: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
        report,
      });
    },
    async close() {
      await drain?.stop();
      await Promise.all([reader.close(), log.close()]);
    },
  };
}

interface Log {
  readonly log: EventLog;
  readonly reader: EventReader;
}

function openLog(redisUrl: string | undefined, dataFolder: string, name: string): Log {
  try {
    return redisUrl === undefined ? embeddedLog(dataFolder, name) : redisLog(redisUrl, name);
  } catch (error) {
    throw new StoresUnusable(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

function redisLog(url: string, name: string): Log {
  return {
    log: createRedisEventLog({ url }),
    reader: createRedisEventReader({ url, name, lease: LEASE }),
  };
}

function embeddedLog(dataFolder: string, name: string): Log {
  const file = join(dataFolder, 'events.sqlite');
  return {
    log: createEmbeddedEventLog({ file }),
    reader: createEmbeddedEventReader({ file, name, lease: LEASE }),
  };
}
