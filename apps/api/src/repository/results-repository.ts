import type { Population, VariantCounts } from '@turnout/contracts/results';
import { lookSchema } from '../results/look.ts';
import type { Look } from '../results/look.ts';
import { timeOf } from './sql-database.ts';
import type { SqlDatabase, SqlRow, SqlValue, Statement, Transaction } from './sql-database.ts';

/** What was counted of one variant, by revision and by one more trait of its visitors. */
export interface CountedSlice extends VariantCounts {
  readonly by: SlicedBy;
  /** The day, the bot class or the edge. */
  readonly slice: string;
  readonly revision: number;
  readonly inTwoVariants: number;
}

const SLICED_BY = ['day', 'bot', 'edge'] as const;
type SlicedBy = (typeof SLICED_BY)[number];

/** What was counted for one metric in one phase of an experiment. */
export interface PhaseCounts {
  /** By day and by edge: without declared bots. By bot class: all. */
  readonly slices: readonly CountedSlice[];
  /** Undefined before the first exposure. */
  readonly firstExposure: Date | undefined;
  readonly lastExposure: Date | undefined;
}

/** What a look at the results is kept under. */
interface LookKey {
  readonly experiment: string;
  readonly phase: number;
  readonly metric: string;
  readonly population: Population;
}

/** The state that the looks so far have left, and the number of its last change. */
export interface StoredLook {
  readonly version: number;
  readonly look: Look;
}

/** What results are made of. Rejects as `ProductRepository` does. */
export interface ResultsRepository {
  /** From totals alone, however many visitors there are. */
  counts(experiment: string, phase: number, metric: string): Promise<PhaseCounts>;
  /** Every metric that visitors who count have reported something for, by name. */
  metrics(experiment: string, phase: number): Promise<string[]>;
  /** The looks at every metric of one population, by metric. */
  findLooks(key: Omit<LookKey, 'metric'>): Promise<Map<string, StoredLook>>;
  /**
   * Stores what a look has left, if the version is still `from` (0: there was none). False if
   * somebody was faster, and nothing is stored.
   */
  saveLook(key: LookKey, look: Look, from: number): Promise<boolean>;
}

export function createResultsRepository(database: SqlDatabase): ResultsRepository {
  return {
    async counts(experiment, phase, metric) {
      const place = [experiment, phase];
      const [counted, times] = await Promise.all([
        database.rows(COUNTS, [
          ...SLICED_BY.flatMap(() => place),
          ...SLICED_BY.flatMap(() => [...place, metric]),
        ]),
        database.rows(TIMES, [...place, ...place]),
      ]);
      return {
        slices: slicesOf(counted),
        firstExposure: timeOrNone(times[0]?.['first_exposure']),
        lastExposure: timeOrNone(times[0]?.['last_exposure']),
      };
    },
    async metrics(experiment, phase) {
      const rows = await database.rows(
        'SELECT DISTINCT metric FROM result_totals WHERE experiment = ? AND phase = ? ORDER BY metric',
        [experiment, phase],
      );
      return rows.map((row) => String(row['metric']));
    },
    async findLooks({ experiment, phase, population }) {
      const rows = await database.rows(
        `SELECT metric, version, state FROM result_looks
         WHERE experiment = ? AND phase = ? AND population = ?`,
        [experiment, phase, population],
      );
      return new Map(
        rows.map((row) => [
          String(row['metric']),
          {
            version: Number(row['version']),
            look: lookSchema.parse(JSON.parse(String(row['state']))),
          },
        ]),
      );
    },
    async saveLook(key, look, from) {
      if (from === 0) return database.run(beginning(key, look));
      return (await database.transact([replacement(key, look, from)])) !== undefined;
    },
  };
}

const LOOK_KEY = ['experiment', 'phase', 'metric', 'population'];
const IS_LOOK = LOOK_KEY.map((column) => `${column} = ?`).join(' AND ');

const EXPOSED = ['exposed', 'fallback', 'confirmed', 'in_two_variants'];
const REPORTED = ['reported', 'conversions', 'confirmed_conversions', 'value', 'value_squared'];

// One statement, so that it sees one moment: no conversion is there without its visitor.
const COUNTS = [
  ...SLICED_BY.map((by) => slicing(by, 'exposure_totals', EXPOSED)),
  ...SLICED_BY.map((by) => slicing(by, 'result_totals', REPORTED, ' AND metric = ?')),
].join('\nUNION ALL\n');
// Both ends of an index, each by itself: SQLite reads every row for both at once.
const TIMES = `SELECT (${end('ASC')}) AS first_exposure, (${end('DESC')}) AS last_exposure`;

function slicing(
  by: SlicedBy,
  table: string,
  columns: readonly string[],
  condition: string = '',
): string {
  const sums = [...EXPOSED, ...REPORTED].map((figure) =>
    columns.includes(figure) ? `SUM(${figure}) AS ${figure}` : `0 AS ${figure}`,
  );
  return `SELECT '${by}' AS sliced_by, ${by} AS slice, variant, revision, ${sums.join(', ')}
          FROM ${table}
          WHERE experiment = ? AND phase = ?${condition}${by === 'bot' ? '' : " AND bot = 'none'"}
          GROUP BY ${by}, variant, revision`;
}

function end(direction: 'ASC' | 'DESC'): string {
  return `SELECT first_seen FROM experiment_visitors
          WHERE experiment = ? AND phase = ? AND first_seen IS NOT NULL
          ORDER BY first_seen ${direction} LIMIT 1`;
}

/** Exposures and results of one slice are two rows, each with nought for the other. */
function slicesOf(rows: readonly SqlRow[]): CountedSlice[] {
  const slices = new Map<string, CountedSlice>();
  for (const row of rows) {
    const slice = sliceOf(row);
    const { by, slice: value, variant, revision } = slice;
    const name = JSON.stringify([by, value, variant, revision]);
    const other = slices.get(name);
    slices.set(name, other === undefined ? slice : added(other, slice));
  }
  return [...slices.values()];
}

function added(one: CountedSlice, other: CountedSlice): CountedSlice {
  return {
    ...one,
    exposed: one.exposed + other.exposed,
    fallback: one.fallback + other.fallback,
    confirmed: one.confirmed + other.confirmed,
    inTwoVariants: one.inTwoVariants + other.inTwoVariants,
    reported: one.reported + other.reported,
    conversions: one.conversions + other.conversions,
    confirmedConversions: one.confirmedConversions + other.confirmedConversions,
    value: one.value + other.value,
    valueSquared: one.valueSquared + other.valueSquared,
  };
}

function sliceOf(row: SqlRow): CountedSlice {
  const by = SLICED_BY.find((one) => one === row['sliced_by']);
  if (by === undefined) throw new Error(`Not a slice: ${String(row['sliced_by'])}`);
  // Sums are texts in MySQL, since they may be larger than a number holds.
  const figure = (column: string): number => Number(row[column]);
  return {
    by,
    slice: String(row['slice']),
    variant: String(row['variant']),
    revision: figure('revision'),
    exposed: figure('exposed'),
    fallback: figure('fallback'),
    confirmed: figure('confirmed'),
    inTwoVariants: figure('in_two_variants'),
    reported: figure('reported'),
    conversions: figure('conversions'),
    confirmedConversions: figure('confirmed_conversions'),
    value: figure('value'),
    valueSquared: figure('value_squared'),
  };
}

function timeOrNone(value: unknown): Date | undefined {
  return value === null || value === undefined ? undefined : timeOf(value);
}

/**
 * Stores a first look, unless there is one already. Whoever comes second waits for the first and
 * keeps its row: to look before one inserts would let two wait for each other.
 */
function* beginning(key: LookKey, look: Look): Transaction<boolean> {
  const state = JSON.stringify(look);
  yield {
    table: 'result_looks',
    columns: [...LOOK_KEY, 'version', 'state'],
    rows: [[...valuesOf(key), 1, state]],
    existing: { action: 'keep' },
  };
  const [row] = yield {
    sql: `SELECT version, state FROM result_looks WHERE ${IS_LOOK}`,
    values: valuesOf(key),
  };
  return Number(row?.['version']) === 1 && row?.['state'] === state;
}

/** Changes no row if the version has moved on. */
function replacement(key: LookKey, look: Look, from: number): Statement {
  return {
    sql: `UPDATE result_looks SET version = ?, state = ? WHERE ${IS_LOOK} AND version = ?`,
    values: [from + 1, JSON.stringify(look), ...valuesOf(key), from],
  };
}

function valuesOf({ experiment, phase, metric, population }: LookKey): SqlValue[] {
  return [experiment, phase, metric, population];
}
