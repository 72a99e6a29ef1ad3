import type { TrackingEvent } from '@turnout/contracts/event';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { describeDatabases, query } from '../testing/databases.ts';
import type { DatabaseKind } from '../testing/databases.ts';
import { NOON, confirmation, exposure, idOf, testResult, visitorOf } from '../testing/events.ts';
import { openRepository } from './open-repository.ts';
import type { RepositoryLocation } from './open-repository.ts';
import { RepositoryUnusable } from './product-repository.ts';
import type { Repository } from './repository.ts';

async function reopen(location: RepositoryLocation): Promise<Repository> {
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  onTestFinished(() => repository.close());
  return repository;
}

async function open(kind: DatabaseKind) {
  const location = await kind.fresh();
  const { tracking, visitors } = await reopen(location);
  return { location, tracking, visitors };
}

const HOUR = 3_600_000;

function exposureTotals(location: RepositoryLocation) {
  return query(
    location,
    `SELECT variant, revision, day, bot, edge, exposed, fallback, confirmed, in_two_variants
     FROM exposure_totals WHERE exposed <> 0 ORDER BY variant, revision, day, bot, edge`,
  );
}

function resultTotals(location: RepositoryLocation) {
  return query(
    location,
    `SELECT variant, metric, revision, day, bot, edge, reported, conversions, confirmed_conversions,
            value, value_squared
     FROM result_totals WHERE reported <> 0 ORDER BY variant, metric, revision, day, bot, edge`,
  );
}

const CELL = { variant: 'control', revision: 1, day: '2026-11-24', bot: 'none', edge: 'edge-1' };
const ONE_EXPOSED = { ...CELL, exposed: 1, fallback: 0, confirmed: 0, in_two_variants: 0 };
const ONE_CONVERTED = {
  ...CELL,
  metric: 'signup',
  reported: 1,
  conversions: 1,
  confirmed_conversions: 0,
  value: 0,
  value_squared: 0,
};

describeDatabases('tracking repository', (kind) => {
  test('keeps a test result as it came', async () => {
    const { location, tracking } = await open(kind);
    const result = testResult({ value: 12.5, edge: 'Žofie 🦜', receivedAt: NOON + 1 });
    await tracking.store([result, testResult({ eventId: idOf(5), requestId: null })]);
    const rows = await query(location, 'SELECT * FROM test_results ORDER BY event_id');
    expect(rows).toHaveLength(2);
    const [{ occurred_at: occurred, received_at: received, ...row } = {}, other] = rows;
    expect(row).toEqual({
      event_id: idOf(4),
      request_id: idOf(2),
      did_convert: 1,
      session_id: visitorOf(1),
      experiment: 'home',
      variant: 'control',
      phase: 1,
      revision: 1,
      metric: 'signup',
      value: 12.5,
      edge: 'Žofie 🦜',
    });
    expect([occurred, received].map((time) => new Date(String(time)).getTime())).toEqual(
      // The driver shows a Date to the second.
      kind.name === 'SQLite' ? [NOON, NOON + 1] : [NOON, NOON],
    );
    expect(other).toMatchObject({ request_id: null, value: null });
  });

  test('a visitor counts once, however often they are exposed and convert', async () => {
    const { location, tracking } = await open(kind);
    await tracking.store([
      exposure(),
      exposure({ eventId: idOf(10), requestId: idOf(11), at: NOON + HOUR, served: 'A' }),
      testResult({ value: 3, at: NOON + 1 }),
      testResult({ eventId: idOf(12), value: 100, at: NOON + 2 }),
    ]);
    await tracking.store([testResult({ eventId: idOf(13), value: 50, at: NOON + 3 })]);
    expect(await exposureTotals(location)).toEqual([ONE_EXPOSED]);
    expect(await resultTotals(location)).toEqual([
      { ...ONE_CONVERTED, value: 3, value_squared: 9 },
    ]);
    expect(await query(location, 'SELECT * FROM test_results')).toHaveLength(3);
  });

  test('a conversion makes good an earlier non-conversion, and is never taken back', async () => {
    const { location, tracking } = await open(kind);
    await tracking.store([exposure(), testResult({ didConvert: false })]);
    expect(await resultTotals(location)).toEqual([{ ...ONE_CONVERTED, conversions: 0 }]);
    await tracking.store([testResult({ eventId: idOf(5), at: NOON + 1 })]);
    expect(await resultTotals(location)).toEqual([ONE_CONVERTED]);
    await tracking.store([testResult({ eventId: idOf(6), didConvert: false, at: NOON - 1 })]);
    expect(await resultTotals(location)).toEqual([ONE_CONVERTED]);
  });

  test('what comes before its exposure counts once that is there', async () => {
    const { location, tracking } = await open(kind);
    await tracking.store([testResult(), confirmation()]);
    expect(await exposureTotals(location)).toEqual([]);
    expect(await resultTotals(location)).toEqual([]);
    await tracking.store([exposure()]);
    expect(await exposureTotals(location)).toEqual([{ ...ONE_EXPOSED, confirmed: 1 }]);
    expect(await resultTotals(location)).toEqual([{ ...ONE_CONVERTED, confirmed_conversions: 1 }]);
  });

  test('a visitor of two variants counts for the first, and is told apart', async () => {
    const { location, tracking } = await open(kind);
    const later = exposure({ eventId: idOf(10), requestId: idOf(11), assigned: 'A', at: NOON + 1 });
    await tracking.store([later, testResult({ variant: 'A' })]);
    expect(await exposureTotals(location)).toMatchObject([{ variant: 'A', in_two_variants: 0 }]);
    await tracking.store([exposure()]);
    expect(await exposureTotals(location)).toEqual([{ ...ONE_EXPOSED, in_two_variants: 1 }]);
    expect(await resultTotals(location)).toEqual([ONE_CONVERTED]);
  });

  test('a page that control stood in for is a fallback of the assigned variant', async () => {
    const { location, tracking } = await open(kind);
    await tracking.store([exposure({ assigned: 'A', served: 'control' })]);
    expect(await exposureTotals(location)).toEqual([{ ...ONE_EXPOSED, variant: 'A', fallback: 1 }]);
  });

  test('phases, experiments and metrics do not meet', async () => {
    const { location, tracking } = await open(kind);
    await tracking.store([
      exposure(),
      exposure({ phase: 2 }),
      exposure({ experiment: 'other' }),
      testResult(),
      testResult({ eventId: idOf(5), metric: 'revenue', didConvert: false }),
      testResult({ eventId: idOf(6), phase: 2, didConvert: false }),
    ]);
    const rows = await query(
      location,
      `SELECT experiment, phase, metric, conversions FROM result_totals
       ORDER BY experiment, phase, metric`,
    );
    expect(rows).toEqual([
      { experiment: 'home', phase: 1, metric: 'revenue', conversions: 0 },
      { experiment: 'home', phase: 1, metric: 'signup', conversions: 1 },
      { experiment: 'home', phase: 2, metric: 'signup', conversions: 0 },
    ]);
    expect(await query(location, 'SELECT * FROM exposure_totals')).toHaveLength(3);
  });

  test('processes that store the same events at once count them once', async () => {
    const { location, tracking } = await open(kind);
    const { tracking: other } = await reopen(location);
    const events = Array.from({ length: 500 }, (_, number): TrackingEvent[] => [
      exposure({ visitor: visitorOf(number), eventId: idOf(number * 2) }),
      testResult({ visitor: visitorOf(number), eventId: idOf(number * 2 + 1) }),
    ]).flat();
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? tracking : other).store(events.slice(index * 50, index * 50 + 550)),
      ),
    );
    expect(await exposureTotals(location)).toMatchObject([{ exposed: 500 }]);
    expect(await resultTotals(location)).toMatchObject([{ reported: 500, conversions: 500 }]);
    expect(await query(location, 'SELECT * FROM test_results')).toHaveLength(500);
  });

  test('a batch that the database refuses leaves nothing', async () => {
    const { location, tracking } = await open(kind);
    const impossible = testResult({ eventId: idOf(9), at: Number.NaN });
    await expect(tracking.store([exposure(), impossible])).rejects.toThrow(
      /Invalid time|occurred_at/,
    );
    expect(await query(location, 'SELECT * FROM experiment_visitors')).toEqual([]);
    expect(await exposureTotals(location)).toEqual([]);
    await tracking.store([exposure()]);
    expect(await exposureTotals(location)).toEqual([ONE_EXPOSED]);
  });

  test('tells events that can not be stored from a database that can store none', async () => {
    const { location, tracking } = await open(kind);
    const wide = testResult({ edge: 'e'.repeat(65), eventId: 'e'.repeat(37), at: Number.NaN });
    await expect(tracking.store([wide])).rejects.not.toThrow(RepositoryUnusable);
    await query(location, 'ALTER TABLE exposure_totals RENAME TO elsewhere');
    await expect(tracking.store([exposure()])).rejects.toThrow(RepositoryUnusable);
    await query(location, 'ALTER TABLE elsewhere RENAME TO exposure_totals');
    await tracking.store([exposure()]);
    expect(await exposureTotals(location)).toEqual([ONE_EXPOSED]);
  });

  test('a visitor who is forgotten still counts, and nothing leads to them any more', async () => {
    const { location, tracking, visitors } = await open(kind);
    const own = [
      exposure({ requestId: idOf(20) }),
      testResult({ requestId: idOf(21) }),
      testResult({ requestId: idOf(22), eventId: idOf(5), metric: 'revenue', didConvert: false }),
    ];
    const other = exposure({ visitor: visitorOf(2), requestId: idOf(30) });
    await tracking.store([...own, other]);
    await tracking.setAside(
      [own, other].map((text, index) => ({
        text: JSON.stringify(text),
        reason: 'r',
        digest: `${index}`,
      })),
      new Date(NOON),
    );
    const [exposures, results] = [await exposureTotals(location), await resultTotals(location)];
    const entry = { at: new Date(NOON), author: 'ada', action: 'a', subject: 's', reason: 'r' };
    await visitors.forget(visitorOf(1), visitorOf(9), entry);
    // What was on its way, some of it for the second time, and what their browser still sends.
    await tracking.store([
      ...own,
      confirmation(),
      testResult({ requestId: idOf(23), eventId: idOf(6), metric: 'revenue' }),
      exposure({ phase: 2, requestId: idOf(24), eventId: idOf(7) }),
    ]);
    await visitors.forget(visitorOf(1), visitorOf(10), entry);

    expect(await exposureTotals(location)).toEqual(exposures);
    expect(await resultTotals(location)).toEqual(results);
    const tables = ['experiment_visitors', 'visitor_results', 'test_results', 'unreadable_events'];
    const rows = await Promise.all(
      tables.map((table) => query(location, `SELECT * FROM ${table}`)),
    );
    expect(rows.map(({ length }) => length)).toEqual([2, 2, 2, 1]);
    const left = JSON.stringify(rows);
    for (const gone of [visitorOf(1), ...[20, 21, 22, 23, 24].map(idOf)]) {
      expect(left).not.toContain(gone);
    }
    for (const kept of [visitorOf(2), visitorOf(9), idOf(30)]) expect(left).toContain(kept);
  });

  test('what is set aside is there once', async () => {
    const { location, tracking } = await open(kind);
    const events = [{ text: '{"kind":"🦜"}', reason: 'kind: expected an event', digest: 'd' }];
    await tracking.setAside(events, new Date(NOON));
    await tracking.setAside(events, new Date(NOON + 1));
    expect(await query(location, 'SELECT digest, event, reason FROM unreadable_events')).toEqual([
      { digest: 'd', event: '{"kind":"🦜"}', reason: 'kind: expected an event' },
    ]);
  });

  test(
    'in any order, batch and repetition the totals are those of the events',
    { timeout: 60_000 },
    async () => {
      const { location, tracking } = await open(kind);
      let experiment = 0;
      await fc.assert(
        fc.asyncProperty(histories(), async ({ events, deliveries }) => {
          experiment += 1;
          const key = `e${experiment}`;
          const own = events.map((event, index) => ({
            ...event,
            experiment: key,
            eventId: idOf(experiment * 1_000 + index),
          }));
          for (const indexes of deliveries) {
            await tracking.store(indexes.flatMap((index) => own[index % own.length] ?? []));
          }
          await tracking.store(own);
          const totals = await storedTotals(location, key);
          expect(totals).toEqual(referenceTotals(own));
          expect(totals).toEqual(await totalsOfRows(location, key));
          const results = own.filter(({ kind: each }) => each === 'result').length;
          expect(
            await query(location, `SELECT event_id FROM test_results WHERE experiment = '${key}'`),
          ).toHaveLength(results);
        }),
        { numRuns: kind.name === 'SQLite' ? 100 : 60 },
      );
    },
  );
});

/** Events of a few visitors, and what of them is delivered, again and again. */
function histories() {
  const variant = fc.constantFrom('control', 'A', 'B');
  const shared = {
    visitor: fc.nat(3).map(visitorOf),
    phase: fc.integer({ min: 1, max: 2 }),
    at: fc.nat(20).map((step) => NOON + step * HOUR),
  };
  const event = fc.oneof(
    fc
      .record({
        ...shared,
        assigned: variant,
        served: variant,
        revision: fc.integer({ min: 1, max: 2 }),
        bot: fc.constantFrom('none', 'ai'),
        edge: fc.constantFrom('edge-1', 'edge-2'),
      })
      .map((changes) => exposure(changes)),
    fc.record(shared).map((changes) => confirmation(changes)),
    fc
      .record({
        ...shared,
        variant,
        didConvert: fc.boolean(),
        metric: fc.constantFrom('signup', 'revenue'),
        value: fc.option(fc.integer({ min: -8, max: 8 }).map((quarters) => quarters / 4)),
      })
      .map((changes) => testResult(changes)),
  );
  return fc.record({
    // Two pages of a visitor do not have one request id.
    events: fc
      .array(event, { minLength: 1, maxLength: 25 })
      .map((events) =>
        events.map((one, index) =>
          one.kind === 'confirmation' ? one : { ...one, requestId: idOf(index) },
        ),
      ),
    deliveries: fc.array(fc.array(fc.nat(1_000), { maxLength: 12 }), { maxLength: 6 }),
  });
}

async function storedTotals(location: RepositoryLocation, experiment: string) {
  const exposures = await query(
    location,
    `SELECT phase, variant, revision, day, bot, edge, exposed, fallback, confirmed, in_two_variants
     FROM exposure_totals WHERE experiment = '${experiment}' AND (exposed <> 0 OR fallback <> 0 OR confirmed <> 0 OR in_two_variants <> 0)`,
  );
  const results = await query(
    location,
    `SELECT phase, metric, variant, revision, day, bot, edge, reported, conversions,
            confirmed_conversions, value, value_squared
     FROM result_totals WHERE experiment = '${experiment}' AND (reported <> 0 OR conversions <> 0
       OR confirmed_conversions <> 0 OR value <> 0 OR value_squared <> 0)`,
  );
  return { exposures: sorted(exposures), results: sorted(results) };
}

/** What the totals are to be: counted from what is stored of each visitor. */
async function totalsOfRows(location: RepositoryLocation, experiment: string) {
  const cell = `v.phase, v.assigned AS variant, v.revision, SUBSTR(v.first_seen, 1, 10) AS day,
                v.bot, v.edge`;
  const counted = `v.experiment = '${experiment}' AND v.assigned IS NOT NULL
                   GROUP BY v.phase, v.assigned, v.revision, SUBSTR(v.first_seen, 1, 10), v.bot, v.edge`;
  const exposures = await query(
    location,
    `SELECT ${cell}, COUNT(*) AS exposed, SUM(v.assigned <> v.served) AS fallback,
       SUM(v.confirmed) AS confirmed, SUM(v.in_two_variants) AS in_two_variants
     FROM experiment_visitors v WHERE ${counted}`,
  );
  const results = await query(
    location,
    `SELECT ${cell}, r.metric, COUNT(*) AS reported, SUM(r.did_convert) AS conversions,
       SUM(r.did_convert * v.confirmed) AS confirmed_conversions,
       SUM(COALESCE(r.value, 0)) AS value, SUM(COALESCE(r.value * r.value, 0)) AS value_squared
     FROM experiment_visitors v JOIN visitor_results r USING (experiment, phase, session_id)
     WHERE ${counted}, r.metric`,
  );
  return { exposures: sorted(exposures.map(inNumbers)), results: sorted(results.map(inNumbers)) };
}

/** MySQL gives sums as texts. */
function inNumbers(row: Record<string, unknown>): Record<string, unknown> {
  const texts = new Set(['variant', 'day', 'bot', 'edge', 'metric']);
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, texts.has(name) ? value : Number(value)]),
  );
}

/** What the totals are to be: counted visitor by visitor, from all events at once. */
function referenceTotals(events: readonly TrackingEvent[]) {
  const exposures = new Map<string, Record<string, string | number>>();
  const results = new Map<string, Record<string, string | number>>();
  const visitors = Map.groupBy(events, ({ phase, visitor }) => `${phase} ${visitor}`);
  for (const own of visitors.values()) {
    const seen = own.filter((event) => event.kind === 'exposure');
    const [first] = seen.toSorted((a, b) => a.at - b.at || (a.requestId < b.requestId ? -1 : 1));
    if (first === undefined) continue;
    const reports = own.filter((event) => event.kind === 'result');
    const variants = new Set([
      ...seen.map(({ assigned }) => assigned),
      ...reports.map(({ variant }) => variant),
    ]);
    const isConfirmed = own.some(({ kind }) => kind === 'confirmation');
    const cell = {
      phase: first.phase,
      variant: first.assigned,
      revision: first.revision,
      day: new Date(first.at).toISOString().slice(0, 10),
      bot: first.bot,
      edge: first.edge,
    };
    add(exposures, cell, {
      exposed: 1,
      fallback: first.served === first.assigned ? 0 : 1,
      confirmed: isConfirmed ? 1 : 0,
      in_two_variants: variants.size > 1 ? 1 : 0,
    });
    for (const [metric, some] of Map.groupBy(reports, (report) => report.metric)) {
      const conversions = some
        .filter(({ didConvert }) => didConvert)
        .toSorted((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
      const [conversion] = conversions;
      const value = conversion?.value ?? 0;
      add(
        results,
        { ...cell, metric },
        {
          reported: 1,
          conversions: conversion === undefined ? 0 : 1,
          confirmed_conversions: conversion !== undefined && isConfirmed ? 1 : 0,
          value,
          value_squared: value * value,
        },
      );
    }
  }
  return { exposures: sorted([...exposures.values()]), results: sorted([...results.values()]) };
}

function add(
  totals: Map<string, Record<string, string | number>>,
  cell: Record<string, string | number>,
  counts: Record<string, number>,
): void {
  const name = JSON.stringify(cell);
  const before = totals.get(name) ?? {};
  const sums = Object.entries(counts).map(([key, count]) => [
    key,
    Number(before[key] ?? 0) + count,
  ]);
  totals.set(name, { ...cell, ...Object.fromEntries(sums) });
}

function sorted(rows: readonly Record<string, unknown>[]): unknown[] {
  const named = rows.map((row) =>
    Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
  return named.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
