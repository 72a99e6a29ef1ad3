import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startRedisCluster } from '../../../test/kit/redis-cluster.ts';
import { hasRedis, startRedis } from '../../../test/kit/redis-server.ts';
import { createEmbeddedEventLog, createEmbeddedEventReader } from './embedded/index.ts';
import type { EventLog, EventReader, LoggedEvent } from './event-log.ts';
import { createRedisEventLog, createRedisEventReader } from './redis/index.ts';

/** The contract of EventLog and EventReader, run against every implementation. */

interface Backend {
  openLog(): EventLog;
  openReader(name: string, lease?: number): EventReader;
  /** The source of a module that has a `log` and a `reader`, for another process. */
  readonly openSource: string;
  stop(): Promise<void>;
}

const LEASE = 300;
const sourceOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

async function startEmbedded(): Promise<Backend> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-events-'));
  const file = join(folder, 'data', 'events.sqlite');
  return {
    openLog: () => createEmbeddedEventLog({ file }),
    openReader: (name, lease = LEASE) => createEmbeddedEventReader({ file, name, lease }),
    openSource: `
      import { createEmbeddedEventLog, createEmbeddedEventReader } from ${sourceOf('./embedded/index.ts')};
      const log = createEmbeddedEventLog(${JSON.stringify({ file })});
      const reader = createEmbeddedEventReader(${JSON.stringify({ file, name: 'other process' })});`,
    stop: async () => rmSync(folder, { recursive: true }),
  };
}

async function startRedisBackend(
  starting: Promise<{ readonly url: string; stop(): Promise<void> }>,
): Promise<Backend> {
  const server = await starting;
  const { url } = server;
  return {
    openLog: () => createRedisEventLog({ url }),
    openReader: (name, lease = LEASE) => createRedisEventReader({ url, name, lease }),
    openSource: `
      import { createRedisEventLog, createRedisEventReader } from ${sourceOf('./redis/index.ts')};
      const log = createRedisEventLog(${JSON.stringify({ url })});
      const reader = createRedisEventReader(${JSON.stringify({ url, name: 'other process' })});`,
    stop: () => server.stop(),
  };
}

const redisIsHere = hasRedis();
const leftOut = redisIsHere ? '' : ' (left out: no redis-server in PATH)';
const kinds = [
  { name: 'node:sqlite', isHere: true, start: startEmbedded },
  {
    name: `redis-server${leftOut}`,
    isHere: redisIsHere,
    start: () => startRedisBackend(startRedis()),
  },
  {
    name: `Redis Cluster${leftOut}`,
    isHere: redisIsHere,
    start: () => startRedisBackend(startRedisCluster()),
  },
];

/** Undone in the order of the list, the backend last. */
let undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo) await step();
  undo = [];
});

const textsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ text }) => text);
const idsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ id }) => id);
for (const { name, isHere, start } of kinds) {
  describe.skipIf(!isHere)(`in ${name}`, () => {
    /** An empty log. */
    async function begin(): Promise<{
      backend: Backend;
      log: EventLog;
      openLog: () => EventLog;
      openReader: (name: string, lease?: number) => EventReader;
    }> {
      const backend = await start();
      undo = [() => backend.stop()];
      const closedLater = <Opened extends EventLog | EventReader>(opened: Opened): Opened => {
        undo.unshift(() => opened.close());
        return opened;
      };
      const openLog = (): EventLog => closedLater(backend.openLog());
      const openReader = (reader: string, lease?: number): EventReader =>
        closedLater(backend.openReader(reader, lease));
      return { backend, log: openLog(), openLog, openReader };
    }

    test('what is appended is read in order, and is gone when acknowledged', async () => {
      const { log, openReader } = await begin();
      const reader = openReader('a');
      expect(await reader.read(10, 0)).toEqual([]);
      expect(await log.lag()).toBe(0);
      await log.append(['one', 'two']);
      await log.append([]);
      await log.append(['three']);
      expect(await log.lag()).toBe(3);
      const events = await reader.read(10, 0);
      expect(textsOf(events)).toEqual(['one', 'two', 'three']);
      expect(await log.lag()).toBe(3);
      await reader.ack(idsOf(events));
      expect(await log.lag()).toBe(0);
      expect(await reader.read(10, 0)).toEqual([]);
      // Twice is harmless, as is nothing.
      await reader.ack(idsOf(events));
      await reader.ack([]);
      expect(await log.lag()).toBe(0);
    });
  });
}
