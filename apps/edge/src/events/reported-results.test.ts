import { experimentSchema } from '@turnout/contracts';
import { reportSchema, testResultSchema } from '@turnout/contracts/event';
import { createUpstream } from '@turnout/proxy';
import { createRequestTraits, visitorId, type MirrorEntry } from '@turnout/router-core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLive } from '../live.ts';
import { readReport, type Reporter } from './reported-results.ts';
import { createRequestIds } from './request-ids.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const DAY = 86_400_000;
const EVENT = '0199f5a2-7b3c-7c1e-9a41-d20f6c51e97b';
const OTHER_EVENT = '0199f5a2-7b3c-7c1e-9a41-d20f6c51e97c';

const requestIds = createRequestIds(['a-secret-of-this-test-alone']);
const anna = visitorId('AAAAAAAAAAAAAAAAAAAAAA');
const bert = visitorId('BBBBBBBBBBBBBBBBBBBBBA');

/** A UUIDv7 of a moment. */
function idAt(time: number): string {
  const clock = time.toString(16).padStart(12, '0');
  return `${clock.slice(0, 8)}-${clock.slice(8)}-7c1e-9a41-d20f6c51e97b`;
}

function experiment(key: string, more: Readonly<Record<string, unknown>> = {}) {
  return experimentSchema.parse({
    key,
    status: 'running',
    revision: 3,
    variants: [
      { key: 'control', upstream: 'shop', weight: 50, control: true },
      { key: 'A', upstream: 'shop', weight: 50 },
    ],
    ...more,
  });
}

function reporter(
  mirror: readonly MirrorEntry[],
  experiments: readonly ReturnType<typeof experiment>[],
  { header = '' } = {},
): Reporter {
  const upstream = createUpstream({ name: 'shop', url: 'http://127.0.0.1:1' });
  const traffic = { upstream: 'shop', experiment: '', variant: '' };
  return {
    visitor: anna,
    mirror,
    live: compileLive({ revision: 7, experiments }, new Map([['shop', { upstream, traffic }]])),
    traits: createRequestTraits({
      method: 'POST',
      target: '/_turnout/v1/events',
      host: 'shop.example',
      header: (name) => (name === 'x-tester' ? header : undefined),
      countryHeader: undefined,
    }),
    requestIds,
    node: 'edge-1',
    now: NOW,
  };
}

const home = { experiment: 'home', variant: 'A', phase: 2 };
const price = { experiment: 'price', variant: 'control', phase: 1 };
const both = reporter([home, price], [experiment('home', { phase: 2 }), experiment('price')]);

function read(from: Reporter, ...events: readonly Readonly<Record<string, unknown>>[]) {
  const whole = events.map((event) => ({
    event_id: EVENT,
    metric: 'signup',
    did_convert: true,
    ...event,
  }));
  return readReport(reportSchema.parse({ events: whole }), from);
}

function resultsOf(reading: ReturnType<typeof readReport>) {
  if (reading.kind === 'results') return reading.results;
  throw new Error(`Expected results, got ${JSON.stringify(reading.problems)}`);
}

test('a result counts for every experiment of the cookie, each with an id of its own', () => {
  const results = resultsOf(read(both, { value: 12.5 }));
  expect(results).toEqual([
    {
      kind: 'result',
      eventId: EVENT,
      requestId: null,
      visitor: anna,
      experiment: 'home',
      variant: 'A',
      phase: 2,
      // The experiment's own, not that of the snapshot.
      revision: 3,
      didConvert: true,
      metric: 'signup',
      value: 12.5,
      edge: 'edge-1',
      at: NOW,
      receivedAt: NOW,
    },
    expect.objectContaining({ experiment: 'price', variant: 'control', phase: 1 }),
  ]);
  for (const result of results) expect(testResultSchema.safeParse(result).success).toBe(true);
  // Sent again it comes to the same; another report comes to others.
  expect(resultsOf(read(both, { value: 12.5 }))).toEqual(results);
  const ids = [...results, ...resultsOf(read(both, { event_id: OTHER_EVENT }))].map(
    ({ eventId }) => eventId,
  );
  expect(new Set(ids).size).toBe(4);
});

test('a value of null is none', () => {
  expect(resultsOf(read(both, { value: null }))[0]).toMatchObject({
    didConvert: true,
    value: null,
  });
});

test('an id in capitals is the same id', () => {
  expect(resultsOf(read(both, { event_id: EVENT.toUpperCase() }))[0]?.eventId).toBe(EVENT);
  const request = requestIds.seal(idAt(NOW - 60_000), anna);
  const [result] = resultsOf(read(both, { request_id: request.toUpperCase() }));
  expect(result?.requestId).toBe(request);
});

test('one experiment can be named', () => {
  const results = resultsOf(read(both, { experiment: 'price' }));
  expect(results.map(({ experiment: key, eventId }) => [key, eventId])).toEqual([['price', EVENT]]);
});

test('only experiments that run or pause count', () => {
  for (const [status, count] of [
    ['running', 1],
    ['paused', 1],
    ['draft', 0],
    ['killed', 0],
    ['concluded', 0],
  ] as const) {
    const of = experiment('home', { status, phase: 2, winner: 'A' });
    expect([status, resultsOf(read(reporter([home], [of]), {})).length]).toEqual([status, count]);
  }
  expect(resultsOf(read(reporter([home], []), {}))).toEqual([]);
});

test('a result of the phase before stays in it', () => {
  const of = experiment('home', { phase: 3 });
  expect(resultsOf(read(reporter([home], [of]), {}))[0]).toMatchObject({ phase: 2, variant: 'A' });
});

test('whoever is forced into a variant is not counted', () => {
  const forced = [{ when: { header: { name: 'X-Tester', value: 'anna' } }, variant: 'A' }];
  const of = [experiment('home', { phase: 2, forced })];
  expect(resultsOf(read(reporter([home], of, { header: 'anna' }), {}))).toEqual([]);
  expect(resultsOf(read(reporter([home], of, { header: 'bert' }), {}))).toHaveLength(1);
});

function timeOf(occurred: string | number): number | undefined {
  return resultsOf(read(both, { occurred_at: occurred }))[0]?.at;
}

test('a time is held between a day ago and now', () => {
  expect(timeOf('2026-03-01T12:30:00+01:00')).toBe(NOW - 1_800_000);
  expect(timeOf(NOW - 1)).toBe(NOW - 1);
  expect(timeOf(NOW + 1)).toBe(NOW);
  expect(timeOf('2036-03-01T12:00:00Z')).toBe(NOW);
  expect(timeOf(0)).toBe(NOW - DAY);
  fc.assert(
    fc.property(fc.maxSafeInteger(), (occurred) => {
      const held = timeOf(occurred) ?? Number.NaN;
      expect(held).toBeGreaterThanOrEqual(NOW - DAY);
      expect(held).toBeLessThanOrEqual(NOW);
    }),
  );
});

function problemsOf(...events: readonly Readonly<Record<string, unknown>>[]) {
  const reading = read(both, ...events);
  return reading.kind === 'disagrees' ? reading.problems.map(({ path }) => path.join('.')) : [];
}

describe('disagreement', () => {
  const own = requestIds.seal(idAt(NOW - 60_000), anna);
  const foreign = requestIds.seal(idAt(NOW - 60_000), bert);
  const old = requestIds.seal(idAt(NOW - 8 * DAY), anna);

  test('of visitor, experiment, variant or request is told with its place', () => {
    expect(
      problemsOf({ session_id: anna, experiment: 'home', variant: 'A', request_id: own }),
    ).toEqual([]);
    expect(problemsOf({ session_id: bert })).toEqual(['events.0.session_id']);
    expect(problemsOf({ experiment: 'other' })).toEqual(['events.0.experiment']);
    expect(problemsOf({ experiment: 'home', variant: 'control' })).toEqual(['events.0.variant']);
    expect(problemsOf({ request_id: foreign })).toEqual(['events.0.request_id']);
    expect(problemsOf({ request_id: old })).toEqual(['events.0.request_id']);
    expect(problemsOf({ request_id: EVENT })).toEqual(['events.0.request_id']);
  });

  test('of a variant that is not the visitor’s in each experiment that would count', () => {
    expect(problemsOf({ variant: 'A' })).toEqual(['events.0.variant']);
  });

  test('with what has ended is none', () => {
    const ended = experiment('price', { status: 'concluded', winner: 'A' });
    const from = reporter([home, price], [experiment('home', { phase: 2 }), ended]);
    expect(resultsOf(read(from, { variant: 'A' }))).toHaveLength(1);
    expect(read(from, { experiment: 'price', variant: 'A' }).kind).toBe('disagrees');
    expect(resultsOf(read(from, { experiment: 'price', variant: 'control' }))).toEqual([]);
  });

  test('in one event refuses all, and names each', () => {
    expect(problemsOf({}, { session_id: bert, variant: 'B' }, {}, { request_id: foreign })).toEqual(
      ['events.1.session_id', 'events.1.variant', 'events.3.request_id'],
    );
  });
});
