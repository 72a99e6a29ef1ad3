import { setTimeout as sleep } from 'node:timers/promises';
import { createEmbeddedEventLog, createEmbeddedEventReader } from '@turnout/event-log/embedded';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openRepository } from '../repository/open-repository.ts';
import { RepositoryUnavailable } from '../repository/product-repository.ts';
import type { TrackingRepository } from '../repository/tracking-repository.ts';
import { embeddedDatabases, query } from '../testing/databases.ts';
import { exposure, idOf, testResult, visitorOf } from '../testing/events.ts';
import { startDrain } from './drain.ts';
import type { DrainReport } from './drain.ts';
import { readEvent } from './read-event.ts';

const kind = embeddedDatabases();

/** A drain from a real log into a real database. */
async function open(around: (repository: TrackingRepository) => TrackingRepository = (one) => one) {
  const location = await kind.fresh();
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  const file = join(location.dataFolder, 'events.sqlite');
  const log = createEmbeddedEventLog({ file });
  const reader = createEmbeddedEventReader({ file, name: 'test' });
  const told: string[] = [];
  const report: DrainReport = {
    stored: (events) => told.push(`stored ${events}`),
    setAside: (events) => told.push(`aside ${events.length}`),
    failed: (_error, delay) => told.push(`failed, ${delay} ms`),
    recovered: () => told.push('recovered'),
  };
  const drain = startDrain({
    reader,
    repository: around(repository.tracking),
    batch: 100,
    now: () => new Date(0),
    pause: (_milliseconds, signal) => sleep(1, undefined, { signal }),
    report,
  });
  onTestFinished(async () => {
    await drain.stop();
    await Promise.all([reader.close(), log.close(), repository.close()]);
  });
  return { location, log, told };
}

const drained = (log: { lag(): Promise<number | undefined> }) =>
  expect.poll(() => log.lag(), { timeout: 10_000 }).toBe(0);

test('carries events to SQL, and out of the log', async () => {
  const { location, log, told } = await open();
  await log.append([exposure(), testResult()].map((event) => JSON.stringify(event)));
  await drained(log);
  expect(await query(location, 'SELECT event_id FROM test_results')).toEqual([
    { event_id: idOf(4) },
  ]);
  await expect.poll(() => told).toEqual(['stored 2']);
});

test('sets aside what it can not read, and goes on', async () => {
  const { location, log, told } = await open();
  const unreadable = ['{"kind":', JSON.stringify({ ...exposure(), bot: 'robot' })];
  await log.append([...unreadable, JSON.stringify(exposure())]);
  await drained(log);
  const rows = await query(location, 'SELECT event, reason FROM unreadable_events ORDER BY event');
  expect(rows.map(({ event }) => event)).toEqual(unreadable);
  expect(rows[0]?.['reason']).toMatch(/JSON/);
  expect(rows[1]?.['reason']).toMatch(/^bot: /);
  expect(await query(location, 'SELECT exposed FROM exposure_totals')).toEqual([{ exposed: 1 }]);
  await expect.poll(() => told).toEqual(['aside 2', 'stored 3']);
});

test('sets aside what the database refuses, and stores the rest of the batch', async () => {
  const { location, log } = await open((repository) => ({
    ...repository,
    async store(events) {
      // As a column that is too narrow would.
      if (events.some(({ visitor }) => visitor === visitorOf(7))) throw new Error('Data too long');
      await repository.store(events);
    },
  }));
  const events = Array.from({ length: 20 }, (_, number) =>
    exposure({ visitor: visitorOf(number), eventId: idOf(number) }),
  );
  await log.append(events.map((event) => JSON.stringify(event)));
  await drained(log);
  expect(await query(location, 'SELECT reason FROM unreadable_events')).toEqual([
    { reason: 'Data too long' },
  ]);
  expect(await query(location, 'SELECT exposed FROM exposure_totals')).toEqual([{ exposed: 19 }]);
});

test('what the database can not store at all stays in the log until it is mended', async () => {
  const { location, log, told } = await open();
  await query(location, 'ALTER TABLE visitor_results RENAME TO elsewhere');
  await log.append([exposure(), testResult()].map((event) => JSON.stringify(event)));
  await expect.poll(() => told.length).toBeGreaterThan(2);
  expect(new Set(told.map((one) => one.replace(/\d+/, 'n')))).toEqual(new Set(['failed, n ms']));
  await query(location, 'ALTER TABLE elsewhere RENAME TO visitor_results');
  await drained(log);
  expect(await query(location, 'SELECT conversions FROM result_totals')).toEqual([
    { conversions: 1 },
  ]);
  expect(await query(location, 'SELECT * FROM unreadable_events')).toEqual([]);
});

test('waits longer and longer while the database is away, and loses nothing', async () => {
  let failures = 8;
  const { location, log, told } = await open((repository) => ({
    ...repository,
    async store(events) {
      failures -= 1;
      if (failures >= 0) throw new RepositoryUnavailable('away');
      await repository.store(events);
    },
  }));
  await log.append([JSON.stringify(exposure())]);
  await drained(log);
  expect(await query(location, 'SELECT exposed FROM exposure_totals')).toEqual([{ exposed: 1 }]);
  await expect
    .poll(() => told)
    .toEqual([
      ...[100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000].map((delay) => `failed, ${delay} ms`),
      'stored 1',
      'recovered',
    ]);
});

test('a text is an event, or says why not', () => {
  const event = testResult({ value: 3 });
  expect(readEvent(JSON.stringify(event))).toMatchObject({ kind: 'event', event });
  for (const change of [
    { at: 253_402_300_800_000 },
    { value: 1e13 },
    { phase: 0 },
    { visitor: 'x' },
    { more: 1 },
  ]) {
    const read = readEvent(JSON.stringify({ ...event, ...change }));
    expect(read).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining(Object.keys(change)[0] ?? ''),
    });
  }
});
