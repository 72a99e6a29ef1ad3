import { BOT_CLASSES } from '@turnout/contracts';
import type { TestResult, TrackingEvent } from '@turnout/contracts/event';
import { groupEvents, takeIn, testResultsOf } from '../tracking/batch.ts';
import type { BatchGroup, ChangedVisitor } from '../tracking/batch.ts';
import type { Cell, ExposureChange, ResultChange } from '../tracking/totals.ts';
import type { CountedExposure, CountedResult, VisitorRecord } from '../tracking/visitor-record.ts';
import { digestOf } from './digest.ts';
import { takeTurn } from './drain-turn.ts';
import { timeOf } from './sql-database.ts';
import type { RowsToStore, SqlDatabase, SqlRow, SqlValue, Transaction } from './sql-database.ts';

/** An event that could not be read. */
export interface UnreadableEvent {
  readonly text: string;
  /** What was expected of it. */
  readonly reason: string;
  /** Tells it from every other: whatever is set aside under one digest is there once. */
  readonly digest: string;
}

/** Where events end up. Rejects as `ProductRepository` does. */
export interface TrackingRepository {
  /**
   * Stores events, and changes the totals by what they change; all or nothing. Events that were
   * stored before change nothing, in whichever batch and order they come; those of a visitor who
   * is forgotten are dropped. Processes that store at once take turns.
   */
  store(events: readonly TrackingEvent[]): Promise<void>;
  /** Keeps what can't be stored, so that somebody can look at it. */
  setAside(events: readonly UnreadableEvent[], at: Date): Promise<void>;
}

export function createTrackingRepository(database: SqlDatabase): TrackingRepository {
  return {
    async store(events) {
      if (events.length > 0) await database.run(storing(events));
    },
    async setAside(events, at) {
      if (events.length > 0) await database.run(settingAside(events, at));
    },
  };
}

function* storing(all: readonly TrackingEvent[]): Transaction<void> {
  yield takeTurn;
  const events = yield* withoutForgotten(all);
  const groups = groupEvents(events);
  const stored = new Map<BatchGroup, ReadonlyMap<string, VisitorRecord>>();
  for (const group of groups) stored.set(group, yield* readRecords(group));
  const { visitors, exposures, results } = takeIn(
    groups,
    (group) => stored.get(group) ?? new Map<string, VisitorRecord>(),
  );
  const rows = [
    testResultRows(testResultsOf(events)),
    visitorRows(visitors),
    visitorResultRows(visitors),
    exposureTotalRows(exposures),
    resultTotalRows(results),
  ];
  for (const each of rows) if (each.rows.length > 0) yield each;
}

/** Ids in one query: MariaDB takes more as a table of their own, and may read all of the other. */
const IDS_AT_ONCE = 900;

/** What was on its way when its visitor was forgotten must not bring them back. */
function* withoutForgotten(events: readonly TrackingEvent[]): Transaction<TrackingEvent[]> {
  const visitors = new Set(events.map(({ visitor }) => visitor));
  const digests = new Map([...visitors].map((visitor) => [visitor, digestOf(visitor)]));
  const forgotten = new Set<string>();
  for (const some of pieces([...digests.values()])) {
    const rows = yield {
      sql: `SELECT digest FROM forgotten_visitors WHERE digest IN (${placesFor(some)})`,
      values: some,
    };
    for (const row of rows) forgotten.add(String(row['digest']));
  }
  return events.filter(({ visitor }) => !forgotten.has(digests.get(visitor) ?? ''));
}

function* pieces(texts: readonly string[]): Generator<string[]> {
  for (let at = 0; at < texts.length; at += IDS_AT_ONCE) yield texts.slice(at, at + IDS_AT_ONCE);
}

function placesFor(values: readonly string[]): string {
  return values.map(() => '?').join(', ');
}

function* readRecords({
  experiment,
  phase,
  events,
}: BatchGroup): Transaction<Map<string, VisitorRecord>> {
  const records = new Map<string, VisitorRecord>();
  for (const some of pieces([...events.keys()])) {
    const where = `WHERE experiment = ? AND phase = ? AND session_id IN (${placesFor(some)})`;
    const values = [experiment, phase, ...some];
    const results = resultsByVisitor(
      yield {
        sql: `SELECT session_id, metric, did_convert, value, event_id, occurred_at, first_result_at
              FROM visitor_results ${where}`,
        values,
      },
    );
    const rows = yield {
      sql: `SELECT session_id, assigned, served, revision, request_id, bot, edge, first_seen,
                   confirmed, seen_variant, in_two_variants
            FROM experiment_visitors ${where}`,
      values,
    };
    for (const row of rows) {
      const visitor = String(row['session_id']);
      records.set(visitor, recordOf(row, results.get(visitor) ?? new Map()));
    }
  }
  return records;
}

function recordOf(row: SqlRow, results: ReadonlyMap<string, CountedResult>): VisitorRecord {
  const { seen_variant: seenVariant } = row;
  return {
    exposure: row['assigned'] === null ? undefined : exposureOf(row),
    confirmed: Number(row['confirmed']) === 1,
    seenVariant: typeof seenVariant === 'string' ? seenVariant : undefined,
    inTwoVariants: Number(row['in_two_variants']) === 1,
    results,
  };
}

function exposureOf(row: SqlRow): CountedExposure {
  const bot = BOT_CLASSES.find((one) => one === row['bot']);
  if (bot === undefined) throw new Error(`Not a bot class: ${String(row['bot'])}`);
  return {
    assigned: String(row['assigned']),
    served: String(row['served']),
    revision: Number(row['revision']),
    requestId: String(row['request_id']),
    bot,
    edge: String(row['edge']),
    at: timeOf(row['first_seen']).getTime(),
  };
}

function resultsByVisitor(rows: readonly SqlRow[]): Map<string, Map<string, CountedResult>> {
  const visitors = new Map<string, Map<string, CountedResult>>();
  for (const row of rows) {
    const visitor = String(row['session_id']);
    const results = visitors.get(visitor) ?? new Map<string, CountedResult>();
    results.set(String(row['metric']), {
      didConvert: Number(row['did_convert']) === 1,
      value: row['value'] === null ? null : Number(row['value']),
      eventId: String(row['event_id']),
      at: timeOf(row['occurred_at']).getTime(),
      firstAt: timeOf(row['first_result_at']).getTime(),
    });
    visitors.set(visitor, results);
  }
  return visitors;
}

function testResultRows(results: readonly TestResult[]): RowsToStore {
  return {
    table: 'test_results',
    columns: [
      'event_id',
      'request_id',
      'did_convert',
      'occurred_at',
      'received_at',
      'session_id',
      'experiment',
      'variant',
      'phase',
      'revision',
      'metric',
      'value',
      'edge',
    ],
    rows: results.map((result) => [
      result.eventId,
      result.requestId,
      result.didConvert ? 1 : 0,
      new Date(result.at),
      new Date(result.receivedAt),
      result.visitor,
      result.experiment,
      result.variant,
      result.phase,
      result.revision,
      result.metric,
      result.value,
      result.edge,
    ]),
    existing: { action: 'keep' },
  };
}

const PLACE = ['experiment', 'phase', 'session_id'];
const RECORD = [
  'assigned',
  'served',
  'revision',
  'request_id',
  'bot',
  'edge',
  'first_seen',
  'confirmed',
  'seen_variant',
  'in_two_variants',
];

function visitorRows(visitors: readonly ChangedVisitor[]): RowsToStore {
  return {
    table: 'experiment_visitors',
    columns: [...PLACE, ...RECORD],
    rows: visitors.map(({ experiment, phase, visitor, record }) => {
      const { exposure, confirmed, seenVariant, inTwoVariants } = record;
      return [
        experiment,
        phase,
        visitor,
        exposure?.assigned ?? null,
        exposure?.served ?? null,
        exposure?.revision ?? null,
        exposure?.requestId ?? null,
        exposure?.bot ?? null,
        exposure?.edge ?? null,
        exposure === undefined ? null : new Date(exposure.at),
        confirmed ? 1 : 0,
        seenVariant ?? null,
        inTwoVariants ? 1 : 0,
      ];
    }),
    existing: { action: 'replace', columns: RECORD },
  };
}

const RESULT = ['did_convert', 'value', 'event_id', 'occurred_at', 'first_result_at'];

function visitorResultRows(visitors: readonly ChangedVisitor[]): RowsToStore {
  return {
    table: 'visitor_results',
    columns: [...PLACE, 'metric', ...RESULT],
    rows: visitors.flatMap(({ experiment, phase, visitor, record, metrics }) =>
      metrics.flatMap((metric): SqlValue[][] => {
        const result = record.results.get(metric);
        if (result === undefined) return [];
        const { didConvert, value, eventId, at, firstAt } = result;
        const key = [experiment, phase, visitor, metric];
        return [[...key, didConvert ? 1 : 0, value, eventId, new Date(at), new Date(firstAt)]];
      }),
    ),
    existing: { action: 'replace', columns: RESULT },
  };
}

const EXPOSURE_TOTALS = ['exposed', 'fallback', 'confirmed', 'in_two_variants'];

function exposureTotalRows(changes: readonly ExposureChange[]): RowsToStore {
  return {
    table: 'exposure_totals',
    columns: [
      'experiment',
      'phase',
      'variant',
      'revision',
      'day',
      'bot',
      'edge',
      ...EXPOSURE_TOTALS,
    ],
    rows: changes.map(({ cell, exposed, fallback, confirmed, inTwoVariants }) => [
      ...cellValues(cell),
      exposed,
      fallback,
      confirmed,
      inTwoVariants,
    ]),
    existing: { action: 'add', columns: EXPOSURE_TOTALS },
  };
}

const RESULT_TOTALS = [
  'reported',
  'conversions',
  'confirmed_conversions',
  'value',
  'value_squared',
];

function resultTotalRows(changes: readonly ResultChange[]): RowsToStore {
  return {
    table: 'result_totals',
    columns: [
      'metric',
      'experiment',
      'phase',
      'variant',
      'revision',
      'day',
      'bot',
      'edge',
      ...RESULT_TOTALS,
    ],
    rows: changes.map((change) => [
      change.metric,
      ...cellValues(change.cell),
      change.reported,
      change.conversions,
      change.confirmedConversions,
      change.value,
      change.valueSquared,
    ]),
    existing: { action: 'add', columns: RESULT_TOTALS },
  };
}

function cellValues({ experiment, phase, variant, revision, day, bot, edge }: Cell): SqlValue[] {
  return [experiment, phase, variant, revision, day, bot, edge];
}

function* settingAside(events: readonly UnreadableEvent[], at: Date): Transaction<void> {
  yield {
    table: 'unreadable_events',
    columns: ['digest', 'reason', 'event', 'set_aside_at'],
    rows: events.map(({ digest, reason, text }) => [digest, reason, text, at]),
    existing: { action: 'keep' },
  };
}
