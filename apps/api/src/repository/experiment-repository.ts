import { experimentSchema } from '@turnout/contracts';
import type { ExperimentDocument } from '@turnout/contracts';
import { MEANINGS } from '@turnout/contracts/management';
import type { Meaning } from '@turnout/contracts/management';
import { createTimeSlices } from '@turnout/router-core';
import { auditStatement } from './audit-repository.ts';
import type { AuditEntry } from './audit-repository.ts';
import { timeOf } from './sql-database.ts';
import type { SqlDatabase, SqlRow, Statement } from './sql-database.ts';

/** One revision of an experiment; it never changes. */
export interface StoredRevision {
  readonly key: string;
  readonly revision: number;
  readonly document: ExperimentDocument;
  readonly author: string;
  readonly reason: string;
  readonly meaning: Meaning;
  readonly at: Date;
}

/** The latest revision of an experiment. */
export interface LiveExperiment extends StoredRevision {
  readonly createdAt: Date;
}

/** All experiments at one moment. */
export interface LiveExperiments {
  /** Grows with every change of any experiment; 0 before the first. */
  readonly snapshot: number;
  /** By key. */
  readonly experiments: ReadonlyMap<string, LiveExperiment>;
}

/** Experiments and their history. Rejects as `ProductRepository` does. */
export interface ExperimentRepository {
  /** All experiments, as of one moment. */
  live(): Promise<LiveExperiments>;
  /**
   * Revisions of an experiment, newest first: those below `before`, at most `limit`, and only two
   * where more would hold documents of over `bytes`.
   */
  history(
    key: string,
    page: { readonly before?: number; readonly limit: number; readonly bytes: number },
  ): Promise<StoredRevision[]>;
  /** One revision of an experiment. */
  revision(key: string, revision: number): Promise<StoredRevision | undefined>;
  /**
   * Stores new revisions, what the audit says of them, and what goes along, all or nothing, if the
   * snapshot is still `from`. Resolves with the new snapshot once it is durable; undefined if
   * somebody was faster, with the experiments or with what goes along, and nothing is stored.
   */
  commit(
    from: number,
    revisions: readonly StoredRevision[],
    audit: readonly AuditEntry[],
    along?: readonly Statement[],
  ): Promise<number | undefined>;
  /** Moves the snapshot on from `from` to `to`, without a change. False if somebody was faster. */
  raise(from: number, to: number): Promise<boolean>;
}

const REVISION =
  'r.experiment, r.revision, r.document, r.author, r.reason, r.meaning, r.created_at';

const SNAPSHOT = 'SELECT revision FROM experiment_snapshot WHERE id = 1';

// One statement, so that it sees one moment. The snapshot's row is there without experiments too.
// Without the documents: most of them are known, and a revision never changes.
const LIVE = `
  SELECT s.revision AS snapshot, e.experiment, e.revision, e.created_at AS first_at
  FROM experiment_snapshot s
  LEFT JOIN experiments e ON s.id = 1
  ORDER BY e.experiment`;

/** Documents that are read by one statement. */
const BATCH = 50;
/** How long documents are read before other work gets its turn, in ms. */
const SLICE = 10;

/** Experiments in a database of either kind. */
export function createExperimentRepository(database: SqlDatabase): ExperimentRepository {
  // Every change moves the snapshot on, so what was read at one holds as long as it stands.
  let known: LiveExperiments | undefined;

  return {
    async live() {
      const [row] = await database.rows(SNAPSHOT);
      if (known !== undefined && known.snapshot === Number(row?.['revision'])) return known;
      known = await readLive(database, known?.experiments ?? new Map());
      return known;
    },
    async history(key, { before, limit, bytes }) {
      const page = (columns: string, most: number) =>
        database.rows(
          `SELECT ${columns} FROM experiment_revisions r
           WHERE r.experiment = ?${before === undefined ? '' : ' AND r.revision < ?'}
           ORDER BY r.revision DESC LIMIT ${Math.trunc(most)}`,
          before === undefined ? [key] : [key, before],
        );
      const sizes = await page('OCTET_LENGTH(r.document) AS bytes', limit);
      const most = Math.min(limit, Math.max(2, howManyFit(sizes, bytes)));
      return (await page(REVISION, most)).map(revisionOfRow);
    },
    async revision(key, revision) {
      const [row] = await database.rows(
        `SELECT ${REVISION} FROM experiment_revisions r WHERE r.experiment = ? AND r.revision = ?`,
        [key, revision],
      );
      return row && revisionOfRow(row);
    },
    async commit(from, revisions, audit, along = []) {
      const done = await database.transact([
        moveSnapshot(from, from + 1),
        ...revisions.flatMap(storeRevision),
        ...audit.map(auditStatement),
        ...along,
      ]);
      if (done === undefined) return undefined;
      const snapshot = from + 1;
      // Whoever stores it need not read it again.
      if (known?.snapshot === from) {
        known = { snapshot, experiments: withRevisions(known.experiments, revisions) };
      }
      return snapshot;
    },
    async raise(from, to) {
      return (await database.transact([moveSnapshot(from, to)])) !== undefined;
    },
  };
}

/** How many of the first rows hold no more than `most` bytes together. */
function howManyFit(rows: readonly SqlRow[], most: number): number {
  let total = 0;
  const first = rows.findIndex(({ bytes }) => (total += Number(bytes)) > most);
  return first === -1 ? rows.length : first;
}

/** Changes no row if the snapshot has moved on; else holds its row until the transaction ends. */
function moveSnapshot(from: number, to: number): Statement {
  return {
    sql: 'UPDATE experiment_snapshot SET revision = ? WHERE id = 1 AND revision = ?',
    values: [to, from],
  };
}

function storeRevision(stored: StoredRevision): Statement[] {
  const { key, revision, document, author, reason, meaning, at } = stored;
  return [
    {
      sql: `INSERT INTO experiment_revisions
              (experiment, revision, document, author, reason, meaning, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)`,
      values: [key, revision, JSON.stringify(document), author, reason, meaning, at],
    },
    revision === 1
      ? {
          sql: 'INSERT INTO experiments (experiment, revision, created_at) VALUES (?, ?, ?)',
          values: [key, revision, at],
        }
      : {
          sql: 'UPDATE experiments SET revision = ? WHERE experiment = ?',
          values: [revision, key],
        },
  ];
}

/** @param before what was read earlier: revisions that are there still are not read again */
async function readLive(
  database: SqlDatabase,
  before: ReadonlyMap<string, LiveExperiment>,
): Promise<LiveExperiments> {
  const index = await database.rows(LIVE);
  const rows = index.filter(({ experiment }) => typeof experiment === 'string');
  const isKnown = ({ experiment, revision }: SqlRow): boolean =>
    before.get(String(experiment))?.revision === Number(revision);
  const read = await readRevisions(
    database,
    rows.filter((row) => !isKnown(row)),
  );
  const experiments = new Map<string, LiveExperiment>();
  for (const row of rows) {
    const key = String(row['experiment']);
    const stored = read.get(key);
    const experiment = stored ? { ...stored, createdAt: timeOf(row['first_at']) } : before.get(key);
    if (experiment !== undefined) experiments.set(key, experiment);
  }
  return { snapshot: Number(index[0]?.['snapshot'] ?? 0), experiments };
}

/** The revisions that these rows name, by experiment. */
async function readRevisions(
  database: SqlDatabase,
  named: readonly SqlRow[],
): Promise<ReadonlyMap<string, StoredRevision>> {
  const slice = createTimeSlices(SLICE);
  const read = new Map<string, StoredRevision>();
  for (let at = 0; at < named.length; at += BATCH) {
    const batch = named.slice(at, at + BATCH);
    const either = batch.map(() => '(r.experiment = ? AND r.revision = ?)').join(' OR ');
    const values = batch.flatMap(({ experiment, revision }) => [
      String(experiment),
      Number(revision),
    ]);
    const sql = `SELECT ${REVISION} FROM experiment_revisions r WHERE ${either}`;
    for (const row of await database.rows(sql, values)) {
      const stored = revisionOfRow(row);
      read.set(stored.key, stored);
      await slice();
    }
  }
  return read;
}

/** The experiments with these revisions in place of their earlier ones, in the order of keys. */
function withRevisions(
  experiments: ReadonlyMap<string, LiveExperiment>,
  revisions: readonly StoredRevision[],
): ReadonlyMap<string, LiveExperiment> {
  const next = new Map(experiments);
  for (const stored of revisions) {
    const createdAt = experiments.get(stored.key)?.createdAt ?? stored.at;
    next.set(stored.key, { ...stored, createdAt });
  }
  if (next.size === experiments.size) return next;
  return new Map([...next].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function revisionOfRow(row: SqlRow): StoredRevision {
  const meaning = MEANINGS.find((one) => one === row['meaning']);
  if (meaning === undefined) throw new Error(`Not a meaning: ${String(row['meaning'])}`);
  return {
    key: String(row['experiment']),
    revision: Number(row['revision']),
    document: experimentSchema.parse(JSON.parse(String(row['document']))),
    author: String(row['author']),
    reason: String(row['reason']),
    meaning,
    at: timeOf(row['created_at']),
  };
}
