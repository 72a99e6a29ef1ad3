import type { Population, VariantCounts } from '@turnout/contracts/results';
import { lookSchema } from '../results/look.ts';
import type { Look } from '../results/look.ts';
import { timeOf } from './sql-database.ts';
import type { SqlDatabase, SqlRow, SqlValue, Statement } from './sql-database.ts';

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
interface StoredLook {
  readonly version: number;
  readonly look: Look;
}

/** What results are made of. Rejects as `ProductRepository` does. */
export interface ResultsRepository {
  /** From totals alone, however many visitors there are. */
  counts(experiment: string, phase: number, metric: string): Promise<PhaseCounts>;
  /** Every metric that visitors who count have reported something for, by name. */
  metrics(experiment: string, phase: number): Promise<string[]>;
  findLook(key: LookKey): Promise<StoredLook | undefined>;
  /**
   * Stores what a look has left, if the version is still `from` (0: there was none). False if
   * somebody was faster, and nothing is stored.
   */
  saveLook(key: LookKey, look: Look, from: number): Promise<boolean>;
}

export function createResultsRepository(database: SqlDatabase): ResultsRepository {
  return {
    async counts(experiment, phase, metric) {
      const [exposures, results, times] = await Promise.all([
        database.rows(EXPOSURES, repeated([experiment, phase])),
        database.rows(RESULTS, repeated([experiment, phase, metric])),
        database.rows(TIMES, [experiment, phase]),
      ]);
      const reported = new Map(results.map((row) => [nameOf(row), row]));
      return {
        slices: exposures.map((row) => sliceOf(row, reported.get(nameOf(row)) ?? {})),
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
    async findLook(key) {
      const [row] = await database.rows(
        `SELECT version, state FROM result_looks
         WHERE experiment = ? AND phase = ? AND metric = ? AND population = ?`,
        valuesOf(key),
      );
      return (
        row && {
          version: Number(row['version']),
          look: lookSchema.parse(JSON.parse(String(row['state']))),
        }
      );
    },
    async saveLook(key, look, from) {
      const statement = from === 0 ? insertion(key, look) : replacement(key, look, from);
      return (await database.transact([statement])) !== undefined;
    },
  };
}

const COUNTS = ['exposed', 'fallback', 'confirmed', 'in_two_variants'];
const REPORTS = ['reported', 'conversions', 'confirmed_conversions', 'value', 'value_squared'];

const EXPOSURES = slicing('exposure_totals', COUNTS, 'experiment = ? AND phase = ?');
const RESULTS = slicing('result_totals', REPORTS, 'experiment = ? AND phase = ? AND metric = ?');
// Both ends of an index: no row is read.
const TIMES = `SELECT MIN(first_seen) AS first_exposure, MAX(first_seen) AS last_exposure
               FROM experiment_visitors WHERE experiment = ? AND phase = ?`;

function slicing(table: string, columns: readonly string[], where: string): string {
  const sums = columns.map((column) => `SUM(${column}) AS ${column}`).join(', ');
  return SLICED_BY.map(
    (by) => `SELECT '${by}' AS sliced_by, ${by} AS slice, variant, revision, ${sums} FROM ${table}
             WHERE ${where}${by === 'bot' ? '' : " AND bot = 'none'"}
             GROUP BY ${by}, variant, revision`,
  ).join('\nUNION ALL\n');
}

/** Once for each of the queries that are one. */
function repeated(values: readonly SqlValue[]): SqlValue[] {
  return SLICED_BY.flatMap(() => values);
}

function nameOf(row: SqlRow): string {
  return JSON.stringify([row['sliced_by'], row['slice'], row['variant'], Number(row['revision'])]);
}

function sliceOf(exposures: SqlRow, results: SqlRow): CountedSlice {
  const by = SLICED_BY.find((one) => one === exposures['sliced_by']);
  if (by === undefined) throw new Error(`Not a slice: ${String(exposures['sliced_by'])}`);
  return {
    by,
    slice: String(exposures['slice']),
    variant: String(exposures['variant']),
    revision: figure(exposures, 'revision'),
    exposed: figure(exposures, 'exposed'),
    fallback: figure(exposures, 'fallback'),
    confirmed: figure(exposures, 'confirmed'),
    inTwoVariants: figure(exposures, 'in_two_variants'),
    reported: figure(results, 'reported'),
    conversions: figure(results, 'conversions'),
    confirmedConversions: figure(results, 'confirmed_conversions'),
    value: figure(results, 'value'),
    valueSquared: figure(results, 'value_squared'),
  };
}

function figure(row: SqlRow, column: string): number {
  return Number(row[column] ?? 0);
}

function timeOrNone(value: unknown): Date | undefined {
  return value === null || value === undefined ? undefined : timeOf(value);
}

/** Changes no row if there is a look already. */
function insertion(key: LookKey, look: Look): Statement {
  return {
    sql: `INSERT INTO result_looks (experiment, phase, metric, population, version, state)
          SELECT ?, ?, ?, ?, 1, ? FROM (SELECT 1 AS one) AS fresh WHERE NOT EXISTS (
            SELECT 1 FROM result_looks
            WHERE experiment = ? AND phase = ? AND metric = ? AND population = ?)`,
    values: [...valuesOf(key), JSON.stringify(look), ...valuesOf(key)],
  };
}

/** Changes no row if the version has moved on. */
function replacement(key: LookKey, look: Look, from: number): Statement {
  return {
    sql: `UPDATE result_looks SET version = ?, state = ?
          WHERE experiment = ? AND phase = ? AND metric = ? AND population = ? AND version = ?`,
    values: [from + 1, JSON.stringify(look), ...valuesOf(key), from],
  };
}

function valuesOf({ experiment, phase, metric, population }: LookKey): SqlValue[] {
  return [experiment, phase, metric, population];
}
