import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LoggedEvent } from '../event-log.ts';
import { createEmbeddedEventLog, createEmbeddedEventReader } from './index.ts';

/** What the shared contract does not see: the file, its bound, its lock, and leases by the clock. */

let folder: string;
let file: string;
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-events-'));
  file = join(folder, 'events.sqlite');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  rmSync(folder, { recursive: true });
});

function closedLater<Opened extends { close(): Promise<void> }>(one: Opened): Opened {
  opened.push(one);
  return one;
}

const textsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ text }) => text);
const idsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ id }) => id);
const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `event ${from + index}`);

function countRows(): Record<string, number> {
  const database = new DatabaseSync(file, { readOnly: true });
  const count = (table: string): number =>
    Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
  const counts = { event: count('event'), lease: count('lease') };
  database.close();
  return counts;
}

test('over 100,000 events the file stays flat, but for the one that nobody acknowledged', async () => {
  const log = closedLater(createEmbeddedEventLog({ file }));
  const [slow, quick] = ['a', 'b'].map((name) =>
    closedLater(createEmbeddedEventReader({ file, name })),
  );
  await log.append(['left']);
  const left = await slow?.read(1, 0);
  for (let from = 0; from < 100_000; from += 5_000) {
    await log.append(numbered(5_000, from));
    const events = (await quick?.read(5_000, 0)) ?? [];
    expect(events.length).toBe(5_000);
    await quick?.ack(idsOf(events));
  }
  // Room for one batch, of 120 KB, and what a tree of pages leaves free.
  expect(statSync(file).size).toBeLessThan(500_000);
  expect(countRows()).toEqual({ event: 1, lease: 1 });
  expect(await log.lag()).toBe(1);
  expect(await slow?.read(9, 0)).toEqual(left);
});

test('a file that has reached its bound takes all of a batch or nothing, and is drained', async () => {
  const log = closedLater(createEmbeddedEventLog({ file, maxBytes: 200_000 }));
  const reader = closedLater(createEmbeddedEventReader({ file, name: 'a' }));
  const batch = Array.from({ length: 10 }, () => 'x'.repeat(1_000));
  let batches = 0;
  await expect(
    (async () => {
      for (;;) {
        await log.append(batch);
        batches += 1;
      }
    })(),
  ).rejects.toThrow('database or disk is full');
  expect(batches).toBeGreaterThan(10);
  expect(await log.lag()).toBe(batches * 10);
  const events = await reader.read(10_000, 0);
  expect(events.length).toBe(batches * 10);
  await reader.ack(idsOf(events));
  await log.append(batch);
  expect(await log.lag()).toBe(10);
});

test('a lease ends by the clock, is renewed by each read, and goes to whoever reads first', async () => {
  let time = 1_000_000;
  const openReader = (name: string): ReturnType<typeof createEmbeddedEventReader> =>
    closedLater(createEmbeddedEventReader({ file, name, lease: 10_000, now: () => time }));
  const log = closedLater(createEmbeddedEventLog({ file }));
  const [a, b] = [openReader('a'), openReader('b')];
  await log.append(numbered(6));
  expect(textsOf(await a.read(2, 0))).toEqual(['event 0', 'event 1']);
  expect(textsOf(await b.read(2, 0))).toEqual(['event 2', 'event 3']);
  time += 9_999;
  expect(textsOf(await a.read(2, 0))).toEqual(['event 0', 'event 1']);
  time += 1;
  // What `b` had, whose lease has ended, then new ones; not what `a` has.
  expect(textsOf(await a.read(6, 0))).toEqual(numbered(6));
  expect(await b.read(6, 0)).toEqual([]);
});

test('another program that keeps the lock is waited for, and given up after about a second', async () => {
  const log = closedLater(createEmbeddedEventLog({ file }));
  const reader = closedLater(createEmbeddedEventReader({ file, name: 'a' }));
  await log.append(['before']);
  const holder = spawn(
    process.execPath,
    [
      '--eval',
      `const { DatabaseSync } = require('node:sqlite');
       const database = new DatabaseSync(${JSON.stringify(file)});
       database.exec('BEGIN IMMEDIATE');
       console.log('held');
       process.stdin.once('end', () => database.close()).resume();`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(holder, 'exit');
  await once(holder.stdout, 'data');
  const began = performance.now();
  await Promise.all([
    expect(log.append(['meanwhile'])).rejects.toThrow('database is locked'),
    expect(reader.read(1, 0)).rejects.toThrow('database is locked'),
  ]);
  expect(performance.now() - began).toBeLessThan(2_500);
  expect(await log.lag()).toBe(1);
  holder.stdin.end();
  await ended;
  await log.append(['after']);
  expect(textsOf(await reader.read(9, 0))).toEqual(['before', 'after']);
});

test('a file that is something else is refused, with the way out', () => {
  const database = new DatabaseSync(file);
  database.exec('CREATE TABLE sign_up (name TEXT); PRAGMA user_version = 1');
  database.close();
  for (const create of [createEmbeddedEventLog, createEmbeddedEventReader]) {
    expect(() => create({ file, name: 'a' })).toThrow(
      `${file} is no event log: no such table: event. Name another data folder`,
    );
  }
});
