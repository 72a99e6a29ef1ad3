import { experimentSchema } from '@turnout/contracts';
import { rampSchema } from '../ramps/ramp.ts';
import type { Ramp } from '../ramps/ramp.ts';
import { auditStatement } from './audit-repository.ts';
import type { AuditEntry } from './audit-repository.ts';
import type { SqlDatabase, SqlRow, Statement } from './sql-database.ts';

/** A ramp, and the number of its last change. */
export interface StoredRamp {
  readonly version: number;
  readonly ramp: Ramp;
}

/** Ramps of experiments, one each. Rejects as `ProductRepository` does. */
export interface RampRepository {
  find(experiment: string): Promise<StoredRamp | undefined>;
  /** Those that still act. */
  underWay(): Promise<StoredRamp[]>;
  /**
   * Stores a ramp, and what the audit says of it, if its version is still `from` (0: there was
   * none). Resolves with the new version; undefined if somebody was faster, and nothing is stored.
   */
  save(ramp: Ramp, from: number, audit?: AuditEntry): Promise<number | undefined>;
  /** What `save` does, for a transaction that does more. */
  saving(ramp: Ramp, from: number, audit?: AuditEntry): [Statement, ...Statement[]];
}

const COLUMNS = 'version, state';

export function createRampRepository(database: SqlDatabase): RampRepository {
  return {
    async find(experiment) {
      // As for plans: collations find `home` for `home ` as well, and choke on other alphabets.
      if (!experimentSchema.shape.key.safeParse(experiment).success) return undefined;
      const [row] = await database.rows(`SELECT ${COLUMNS} FROM ramps WHERE experiment = ?`, [
        experiment,
      ]);
      return row && rampOfRow(row);
    },
    async underWay() {
      const rows = await database.rows(
        `SELECT ${COLUMNS} FROM ramps WHERE status IN ('stepping', 'holding') ORDER BY experiment`,
      );
      return rows.map(rampOfRow);
    },
    async save(ramp, from, audit) {
      const done = await database.transact(saving(ramp, from, audit));
      return done && from + 1;
    },
    saving,
  };
}

function saving(ramp: Ramp, from: number, audit?: AuditEntry): [Statement, ...Statement[]] {
  return [
    { ...(from === 0 ? insertion(ramp) : replacement(ramp, from)), mustChange: true },
    ...(audit === undefined ? [] : [auditStatement(audit)]),
  ];
}

/** Changes no row if there is a ramp already. */
function insertion(ramp: Ramp): Statement {
  return {
    sql: `INSERT INTO ramps (experiment, version, status, state)
          SELECT fresh.experiment, 1, ?, ?
          FROM (SELECT experiment FROM experiments WHERE experiment = ?) AS fresh
          WHERE NOT EXISTS (SELECT 1 FROM ramps WHERE experiment = ?)`,
    values: [ramp.status, JSON.stringify(ramp), ramp.experiment, ramp.experiment],
  };
}

/** Changes no row if the version has moved on. */
function replacement(ramp: Ramp, from: number): Statement {
  return {
    sql: 'UPDATE ramps SET version = ?, status = ?, state = ? WHERE experiment = ? AND version = ?',
    values: [from + 1, ramp.status, JSON.stringify(ramp), ramp.experiment, from],
  };
}

function rampOfRow(row: SqlRow): StoredRamp {
  return {
    version: Number(row['version']),
    ramp: rampSchema.parse(JSON.parse(String(row['state']))),
  };
}
