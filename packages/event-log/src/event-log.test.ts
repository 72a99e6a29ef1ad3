import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startRedisCluster } from '../../../test/kit/redis-cluster.ts';
import { hasRedis, runRedisCommand, startRedis } from '../../../test/kit/redis-server.ts';
import { createEmbeddedEventLog, createEmbeddedEventReader } from './embedded/index.ts';
import type { EventLog, EventReader, LoggedEvent } from './event-log.ts';
import { createRedisEventLog, createRedisEventReader } from './redis/index.ts';

/**
 * The contract of EventLog and EventReader, run against every implementation. Each test
 * begins with an empty log.
 */

interface Backend {
  clear(): void;
  openLog(): EventLog;
  openReader(name: string, lease: number): EventReader;
  /** The source of a module that makes a `log`, and a `reader` of this name, for another process. */
  sourceOf(name: string, lease?: number): string;
  stop(): Promise<void>;
}

/** Milliseconds; far longer than anything here takes between a read and its ack. */
const LONG_LEASE = 60_000;
const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

async function startEmbedded(): Promise<Backend> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-events-'));
  let file = '';
  let files = 0;
  return {
    clear() {
      files += 1;
      file = join(folder, String(files), 'events.sqlite');
    },
    openLog: () => createEmbeddedEventLog({ file }),
    openReader: (name, lease) => createEmbeddedEventReader({ file, name, lease }),
    sourceOf: (name, lease = LONG_LEASE) => `
      import { createEmbeddedEventLog, createEmbeddedEventReader } from ${urlOf('./embedded/index.ts')};
      const log = createEmbeddedEventLog(${JSON.stringify({ file })});
      const reader = createEmbeddedEventReader(${JSON.stringify({ file, name, lease })});`,
    stop: async () => rmSync(folder, { recursive: true }),
  };
}

function redisBackend(url: string, ports: readonly number[], stop: () => Promise<void>): Backend {
  return {
    clear() {
      for (const port of ports) runRedisCommand(port, 'FLUSHALL');
    },
    openLog: () => createRedisEventLog({ url }),
    openReader: (name, lease) => createRedisEventReader({ url, name, lease }),
    sourceOf: (name, lease = LONG_LEASE) => `
      import { createRedisEventLog, createRedisEventReader } from ${urlOf('./redis/index.ts')};
      const log = createRedisEventLog(${JSON.stringify({ url })});
      const reader = createRedisEventReader(${JSON.stringify({ url, name, lease })});`,
    stop,
  };
}

async function startServerBackend(): Promise<Backend> {
  // No Redis is killed here, and a busy disk would hold each command up.
  const server = await startRedis({ settings: ['--appendfsync', 'everysec'] });
  return redisBackend(server.url, [server.port], () => server.stop());
}

async function startClusterBackend(): Promise<Backend> {
  const cluster = await startRedisCluster();
  return redisBackend(
    cluster.url,
    cluster.nodes.map(({ port }) => port),
    () => cluster.stop(),
  );
}

const redisIsHere = hasRedis();
const leftOut = redisIsHere ? '' : ' (left out: no redis-server in PATH)';
const backends = [
  { name: 'node:sqlite', isHere: true, start: startEmbedded },
  { name: `redis-server${leftOut}`, isHere: redisIsHere, start: startServerBackend },
  { name: `Redis Cluster${leftOut}`, isHere: redisIsHere, start: startClusterBackend },
];

const opened: { close(): Promise<void> }[] = [];
function closedLater<Opened extends { close(): Promise<void> }>(one: Opened): Opened {
  opened.push(one);
  return one;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

const textsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ text }) => text);
const idsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ id }) => id);
const numbered = (count: number, name = 'event'): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

/** Reads and acknowledges until `count` events came. */
async function drain(reader: EventReader, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const events = await reader.read(1_000, 10_000);
    if (events.length === 0) throw new Error(`Expected ${count} events, got ${texts.length}`);
    texts.push(...textsOf(events));
    await reader.ack(idsOf(events));
  }
  return texts;
}

/** Starts a module in a process of its own; resolves with its first line, and a way to kill it. */
async function startProcess(source: string): Promise<{ line: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const line = await Promise.race([
    once(lines, 'line').then(([first]) => String(first)),
    ended.then(() => {
      throw new Error('The process ended without a word');
    }),
  ]);
  return {
    line,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

for (const { name, isHere, start } of backends) {
  describe.skipIf(!isHere)(`in ${name}`, () => {
    let backend: Backend;

    beforeAll(async () => {
      backend = await start();
    }, 60_000);
    afterAll(async () => {
      await backend?.stop();
    });

    const openLog = (): EventLog => closedLater(backend.openLog());
    const openReader = (reader: string, lease = LONG_LEASE): EventReader =>
      closedLater(backend.openReader(reader, lease));
    const openEmptyLog = (): EventLog => {
      backend.clear();
      return openLog();
    };

    test('what is appended is read in order, and is gone when acknowledged', async () => {
      const log = openEmptyLog();
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

    test('what was appended before the first reader came is read', async () => {
      const log = openEmptyLog();
      await log.append(numbered(5));
      await log.close();
      expect(await drain(openReader('a'), 5)).toEqual(numbered(5));
    });

    test('a read waits for the first event, and no longer than it is told', async () => {
      const log = openEmptyLog();
      const reader = openReader('a');
      const reading = reader.read(10, 20_000);
      await log.append(['late']);
      const events = await reading;
      expect(textsOf(events)).toEqual(['late']);
      await reader.ack(idsOf(events));
      const began = performance.now();
      expect(await reader.read(10, 200)).toEqual([]);
      expect(performance.now() - began).toBeGreaterThan(190);
    });

    test('a read takes no more than its limit, and gives again what was not acknowledged', async () => {
      const log = openEmptyLog();
      const reader = openReader('a');
      await log.append(numbered(10));
      const first = await reader.read(4, 0);
      expect(textsOf(first)).toEqual(numbered(4));
      expect(await reader.read(4, 0)).toEqual(first);
      // What is left of the first ones comes before new ones.
      await reader.ack(idsOf(first.slice(1, 3)));
      const second = await reader.read(4, 0);
      expect(textsOf(second)).toEqual(['event 0', 'event 3', 'event 4', 'event 5']);
      await reader.ack(idsOf(second));
      expect(await log.lag()).toBe(4);
      expect(await drain(reader, 4)).toEqual(numbered(10).slice(6));
    });

    test('appends of one log stay in order, also those that do not wait for each other', async () => {
      const log = openEmptyLog();
      const reader = openReader('a');
      const batches = Array.from({ length: 50 }, (_, batch) => numbered(40, `${batch}`));
      await Promise.all(batches.map((batch) => log.append(batch)));
      expect(await drain(reader, 2_000)).toEqual(batches.flat());
    });

    test('two readers share, and neither sees what the other has', async () => {
      const logs = [openEmptyLog(), openLog(), openLog(), openLog()];
      const sent = logs.map((_, index) => numbered(300, `log ${index}`));
      await Promise.all(logs.map((log, index) => log.append(sent[index] ?? [])));
      const readers = [openReader('a'), openReader('b')];
      // Each has its first batch before any is acknowledged.
      const firsts = await Promise.all(readers.map((reader) => reader.read(50, 10_000)));
      expect(firsts.map(({ length }) => length)).toEqual([50, 50]);
      const read = await Promise.all(
        readers.map(async (reader) => {
          const texts: string[] = [];
          for (;;) {
            const events = await reader.read(50, 100);
            if (events.length === 0) return texts;
            texts.push(...textsOf(events));
            await reader.ack(idsOf(events));
          }
        }),
      );
      expect(read.map((texts) => texts.slice(0, 50))).toEqual(firsts.map(textsOf));
      expect(read.flat().toSorted()).toEqual(sent.flat().toSorted());
      expect(await logs[0]?.lag()).toBe(0);
    });

    test('a reader that was killed goes on under its name', async () => {
      const log = openEmptyLog();
      await log.append(numbered(20));
      const killed = await startProcess(`${backend.sourceOf('a')}
        console.log((await reader.read(10, 10_000)).length);
        setInterval(() => {}, 1_000);`);
      expect(killed.line).toBe('10');
      await killed.kill();
      const other = openReader('b');
      const others = await other.read(20, 0);
      expect(textsOf(others)).toEqual(numbered(20).slice(10));
      await other.ack(idsOf(others));
      expect(await other.read(20, 100)).toEqual([]);
      expect(await drain(openReader('a'), 10)).toEqual(numbered(10));
      expect(await log.lag()).toBe(0);
    });

    test('what a reader had that was killed goes to another after the lease', async () => {
      const log = openEmptyLog();
      await log.append(numbered(20));
      const killed = await startProcess(`${backend.sourceOf('a', 500)}
        console.log((await reader.read(10, 10_000)).length);
        setInterval(() => {}, 1_000);`);
      await killed.kill();
      const seen = await drain(openReader('b', 500), 20);
      expect(seen.toSorted()).toEqual(numbered(20).toSorted());
      expect(await log.lag()).toBe(0);
    });

    test('events that a reader left for longer than the lease are taken over, once', async () => {
      const log = openEmptyLog();
      await log.append(numbered(30));
      const slow = openReader('slow', 500);
      const kept = await slow.read(10, 10_000);
      const others = [openReader('b', 500), openReader('c', 500)];
      const seen: string[] = [];
      while (seen.length < 30) {
        for (const other of others) {
          const events = await other.read(10, 100);
          seen.push(...textsOf(events));
          await other.ack(idsOf(events));
        }
      }
      expect(seen.toSorted()).toEqual(numbered(30).toSorted());
      // Who comes too late takes nothing from anybody.
      await log.append(['new']);
      await slow.ack(idsOf(kept));
      expect(await log.lag()).toBe(1);
      expect(await drain(slow, 1)).toEqual(['new']);
    });

    test('batches of 10,000 and texts of 2 MB come whole, whatever their letters', async () => {
      const log = openEmptyLog();
      const reader = openReader('a');
      const many = numbered(10_000, '{"title":"Größe — ✓"}');
      const large = ['ä'.repeat(1_000_000), '\n\r\0"\\', '', 'x'.repeat(2_000_000)];
      await log.append([...many, ...large]);
      expect(await log.lag()).toBe(10_004);
      const events = await drain(reader, 10_004);
      const expected = [...many, ...large];
      // One by one: a difference of 2 MB is of no use to anybody.
      expect(events.findIndex((text, index) => text !== expected[index])).toBe(-1);
      expect(await log.lag()).toBe(0);
    });

    test('who appends may be killed once it was told that all is kept', async () => {
      const log = openEmptyLog();
      const other = await startProcess(`${backend.sourceOf('unused')}
        await log.append(${JSON.stringify(numbered(500))});
        console.log('appended');
        setInterval(() => {}, 1_000);`);
      await other.kill();
      expect(await log.lag()).toBe(500);
      expect(await drain(openReader('a'), 500)).toEqual(numbered(500));
    });

    test('an id that no reader gave is refused', async () => {
      openEmptyLog();
      const reader = openReader('a');
      await expect(reader.ack(['1; DROP TABLE event'])).rejects.toThrow(
        'Expected the id of an event that was read, got "1; DROP TABLE event"',
      );
    });

    test('a log that was closed rejects, and says that it knows no lag', async () => {
      backend.clear();
      const [log, reader] = [backend.openLog(), backend.openReader('a', LONG_LEASE)];
      await log.append(['kept']);
      await Promise.all([log.close(), reader.close()]);
      await Promise.all([log.close(), reader.close()]);
      await expect(log.append(['too late'])).rejects.toThrow(/./);
      await expect(reader.read(1, 0)).rejects.toThrow(/./);
      await expect(reader.ack(['0/1-1'])).rejects.toThrow(/./);
      expect(await log.lag()).toBeUndefined();
      expect(await drain(openReader('b'), 1)).toEqual(['kept']);
    });
  });
}
