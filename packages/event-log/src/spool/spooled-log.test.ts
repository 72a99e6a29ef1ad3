import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasRedis, runRedisCommand, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../../test/kit/redis-server.ts';
import { createEmbeddedEventLog, createEmbeddedEventReader } from '../embedded/index.ts';
import type { EventReader, LoggedEvent } from '../event-log.ts';
import { createRedisEventLog, createRedisEventReader } from '../redis/index.ts';
import { SpoolFull, createSpool } from './spool.ts';
import { createSpooledLog } from './spooled-log.ts';
import type { SpooledLog } from './spooled-log.ts';

/** A spool in front of a real log that comes and goes. */

let folder: string;
let told: string[];
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-spool-'));
  told = [];
});
afterEach(async () => {
  // What was opened last goes first.
  for (const one of opened.splice(0).toReversed()) await one.close();
  rmSync(folder, { recursive: true });
});

function closedLater<Opened extends { close(): Promise<void> }>(one: Opened): Opened {
  opened.push(one);
  return one;
}

const OPTIONS = {
  onOutage: (error: unknown): void => void told.push(`outage: ${String(error)}`),
  onRecovered: (): void => void told.push('recovered'),
  delay: 50,
  maxDelay: 200,
};

async function readAll(reader: EventReader, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const events = await reader.read(1_000, 10_000);
    if (events.length === 0) throw new Error(`Expected ${count} events, got ${texts.length}`);
    texts.push(...events.map(({ text }) => text));
    await reader.ack(events.map(({ id }) => id));
  }
  return texts;
}

async function readOnce(reader: EventReader): Promise<readonly LoggedEvent[]> {
  const events = await reader.read(1_000, 100).catch(() => []);
  await reader.ack(events.map(({ id }) => id)).catch(() => {});
  return events;
}

async function settles(log: SpooledLog): Promise<void> {
  await expect.poll(() => log.spooled, { timeout: 20_000 }).toBe(0);
}

/** Events without those that came again. */
const distinct = (events: readonly string[]): string[] => [...new Set(events)];

const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `before Redis${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    let server: RedisServer;
    beforeEach(async () => {
      server = await startRedis();
      closedLater({ close: () => server.stop() });
    });

    const openLog = (maxBytes?: number): SpooledLog =>
      closedLater(
        createSpooledLog(
          createRedisEventLog({ url: server.url, random: () => 0 }),
          createSpool({ folder, ...(maxBytes !== undefined && { maxBytes }) }),
          OPTIONS,
        ),
      );
    const openReader = (): EventReader =>
      closedLater(createRedisEventReader({ url: server.url, name: 'a' }));

    test('killed and started again, nothing is lost, and order is kept', async () => {
      const log = openLog();
      const reader = openReader();
      const sent: string[] = [];
      const send = async (): Promise<void> => {
        const event = `event ${sent.length}`;
        sent.push(event);
        await log.append([event]);
      };
      for (let index = 0; index < 50; index += 1) await send();
      await settles(log);
      expect(told).toEqual([]);
      await server.kill();
      await send();
      expect(told).toEqual([expect.stringMatching(/^outage: .*Error/)]);
      // Nobody waits for a log that is known to be down.
      const began = performance.now();
      for (let index = 0; index < 200; index += 1) await send();
      expect((performance.now() - began) / 200).toBeLessThan(200);
      expect(log.spooled).toBeGreaterThan(0);
      expect(await log.lag()).toBeUndefined();
      await server.restart();
      // Also while it is replayed.
      while (log.spooled > 0) await send();
      await send();
      await expect.poll(() => told.slice(1)).toEqual(['recovered']);
      const read = await readAll(reader, sent.length);
      expect(distinct(read)).toEqual(sent);
      expect(await log.lag()).toBe(0);
    }, 60_000);

    test('hung, the first appends wait for it, and the others do not', async () => {
      const log = openLog();
      const reader = openReader();
      await log.append(['before']);
      await settles(log);
      server.pause();
      const began = performance.now();
      await Promise.all([log.append(['first']), log.append(['second'])]);
      expect(performance.now() - began).toBeLessThan(3_000);
      const later = performance.now();
      await log.append(['third']);
      expect(performance.now() - later).toBeLessThan(700);
      server.resume();
      await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe('recovered');
      await log.append(['after']);
      // What it was sent before it hung may come twice.
      const read = [...(await readAll(reader, 5))];
      while ((await log.lag()) !== 0) read.push(...(await readAll(reader, 1)));
      expect(distinct(read).toSorted()).toEqual(['after', 'before', 'first', 'second', 'third']);
    }, 60_000);

    test('out of memory, events wait on the disk until there is room', async () => {
      const log = openLog();
      await log.append(['before']);
      await settles(log);
      runRedisCommand(server.port, 'CONFIG', 'SET', 'maxmemory', '1');
      await log.append(['meanwhile']);
      await expect.poll(() => told).toEqual([expect.stringContaining('OOM')]);
      expect(log.spooled).toBeGreaterThan(0);
      // The log answers, and says so.
      expect(await log.lag()).toBe(1);
      runRedisCommand(server.port, 'CONFIG', 'SET', 'maxmemory', '0');
      await settles(log);
      expect(await readAll(openReader(), 2)).toEqual(['before', 'meanwhile']);
    });

    test('down for longer than there is room, it refuses, and goes on when the log is back', async () => {
      const log = openLog(300);
      await log.append(['before']);
      await settles(log);
      await server.kill();
      await log.append(['one']);
      await expect(log.append(['x'.repeat(1_000)])).rejects.toThrow(SpoolFull);
      await log.append(['two']);
      await server.restart();
      await expect.poll(() => told.at(-1), { timeout: 20_000 }).toBe('recovered');
      await log.append(['x'.repeat(1_000)]);
      expect(distinct(await readAll(openReader(), 4))).toEqual([
        'before',
        'one',
        'two',
        'x'.repeat(1_000),
      ]);
    });

    test('closed during an outage, it leaves the rest to the next process', async () => {
      const log = openLog();
      await log.append(['before']);
      await settles(log);
      await server.kill();
      await log.append(['left']);
      await log.close();
      await log.close();
      await expect(log.append(['too late'])).rejects.toThrow('was closed');
      await server.restart();
      const next = openLog();
      expect(next.spooled).toBeGreaterThan(0);
      await next.append(['later']);
      expect(distinct(await readAll(openReader(), 3))).toEqual(['before', 'left', 'later']);
      await settles(next);
    });
  },
);

describe.skipIf(!redisIsHere)(
  `with a process that is killed${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    test('nothing that it was told is kept is lost, whenever Redis and it are killed', async () => {
      const server = await startRedis();
      closedLater({ close: () => server.stop() });
      const source = `
        import { createRedisEventLog } from ${urlOf('../redis/index.ts')};
        import { createSpool, createSpooledLog } from ${urlOf('./index.ts')};
        const [url, folder, name] = process.argv.slice(1);
        const log = createSpooledLog(createRedisEventLog({ url }), createSpool({ folder }));
        for (let number = 0; ; number += 1) {
          await log.append([\`\${name} \${number}\`]);
          process.stdout.write(\`\${name} \${number}\\n\`);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }`;
      const kept: string[] = [];
      for (const name of ['a', 'b', 'c', 'd']) {
        const child = spawn(
          process.execPath,
          ['--input-type=module-typescript', '--eval', source, server.url, folder, name],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        const ended = once(child, 'close');
        let out = '';
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
          out += chunk;
        });
        const tells = async (count: number): Promise<void> => {
          await expect
            .poll(() => out.split('\n').length, { timeout: 20_000 })
            .toBeGreaterThan(count);
        };
        await tells(50);
        // Once while Redis is away, once in the middle of the replay or after it.
        await server.kill();
        await tells(out.split('\n').length + 50);
        if (name === 'a' || name === 'c') child.kill('SIGKILL');
        await server.restart();
        child.kill('SIGKILL');
        await ended;
        kept.push(...out.slice(0, out.lastIndexOf('\n')).split('\n'));
      }
      const log = closedLater(
        createSpooledLog(createRedisEventLog({ url: server.url }), createSpool({ folder })),
      );
      const reader = closedLater(createRedisEventReader({ url: server.url, name: 'a' }));
      await settles(log);
      const read = new Set<string>();
      await expect
        .poll(
          async () => {
            for (const { text } of await readOnce(reader)) read.add(text);
            return kept.filter((event) => !read.has(event));
          },
          { timeout: 20_000 },
        )
        .toEqual([]);
      expect(kept.length).toBeGreaterThan(400);
      // Nothing is there that nobody sent.
      expect([...read].filter((event) => !/^[abcd] \d+$/.test(event))).toEqual([]);
    }, 90_000);
  },
);

test('before the embedded log, what its bound refuses is spooled until it is drained', async () => {
  const file = join(folder, 'events.sqlite');
  const log = closedLater(
    createSpooledLog(
      createEmbeddedEventLog({ file, maxBytes: 1_000_000 }),
      createSpool({ folder: join(folder, 'spool') }),
      OPTIONS,
    ),
  );
  const reader = closedLater(createEmbeddedEventReader({ file, name: 'a' }));
  const sent = Array.from({ length: 2_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`);
  for (let from = 0; from < sent.length; from += 100)
    await log.append(sent.slice(from, from + 100));
  expect(told).toEqual(['outage: Error: database or disk is full']);
  expect(log.spooled).toBeGreaterThan(500_000);
  expect(distinct(await readAll(reader, 2_000))).toEqual(sent);
  await settles(log);
  await expect.poll(() => told.at(-1)).toBe('recovered');
});
