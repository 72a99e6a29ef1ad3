import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrations } from './migrations.ts';
import type { NewSignUp, SignUpOutcome } from './product-repository.ts';
import { managementRepositories } from './repository.ts';
import type { Repository } from './repository.ts';
import { sqliteDatabase } from './sqlite-database.ts';
import {
  CONSTRAINT_FOREIGNKEY,
  CONSTRAINT_UNIQUE,
  explained,
  resultCode,
} from './sqlite-errors.ts';
import { migrateSqlite } from './sqlite-migrate.ts';
import { createdSignUp, isPlanId, planColumns, planOfRow, repeatedSignUp } from './stored-rows.ts';

/**
 * How long a statement waits for another process's write, in milliseconds. The
 * whole process waits with it; writes take a few milliseconds.
 */
const BUSY_TIMEOUT = 1_000;

/**
 * Opens `product.sqlite` in `folder` (made when missing) and migrates it.
 * Throws `RepositoryUnavailable` when another process holds the file too long,
 * `RepositoryUnusable` when the folder or file can not be used.
 */
export function openSqliteRepository(folder: string): Repository {
  const file = join(folder, 'product.sqlite');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
    database.exec('PRAGMA journal_mode = WAL');
    // WAL's default (NORMAL) may lose the last commits on power loss; FULL
    // syncs before a sign-up is confirmed.
    database.exec('PRAGMA synchronous = FULL');
    migrateSqlite(database, migrations);
    return new SqliteRepository(database);
  } catch (error) {
    database?.close();
    throw explained(error, file);
  }
}

class SqliteRepository implements Repository {
  readonly experiments;
  readonly audit;
  readonly visitors;
  readonly ramps;
  readonly tracking;
  readonly results;
  readonly #database;
  readonly #listPlans;
  readonly #findPlan;
  readonly #insertSignUp;
  readonly #findSignUp;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const management = managementRepositories(
      sqliteDatabase(database, (work) => this.#attempt(work)),
    );
    this.experiments = management.experiments;
    this.audit = management.audit;
    this.visitors = management.visitors;
    this.ramps = management.ramps;
    this.tracking = management.tracking;
    this.results = management.results;
    this.#listPlans = database.prepare(`SELECT ${planColumns} FROM plans ORDER BY price, id`);
    this.#findPlan = database.prepare(`SELECT ${planColumns} FROM plans WHERE id = ?`);
    this.#insertSignUp = database.prepare(
      `INSERT INTO sign_ups (id, plan, name, email, created_at, visitor, assignments, idempotency_key)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#findSignUp = database.prepare(
      'SELECT id, plan, name, email, created_at FROM sign_ups WHERE idempotency_key = ?',
    );
  }

  async listPlans() {
    return this.#attempt(() => this.#listPlans.all().map(planOfRow));
  }

  async findPlan(id: string) {
    if (!isPlanId(id)) return undefined;
    return this.#attempt(() => {
      const row = this.#findPlan.get(id);
      return row && planOfRow(row);
    });
  }

  async recordSignUp(signUp: NewSignUp): Promise<SignUpOutcome> {
    if (!isPlanId(signUp.plan)) return { outcome: 'unknown-plan' };
    return this.#attempt(() => {
      try {
        this.#insertSignUp.run(
          signUp.id,
          signUp.plan,
          signUp.name,
          signUp.email,
          signUp.createdAt.toISOString(),
          signUp.visitor,
          signUp.assignments,
          signUp.idempotencyKey,
        );
        return createdSignUp(signUp);
      } catch (error) {
        const code = resultCode(error);
        if (code === CONSTRAINT_FOREIGNKEY) return { outcome: 'unknown-plan' };
        if (code !== CONSTRAINT_UNIQUE || signUp.idempotencyKey === null) throw error;
        const row = this.#findSignUp.get(signUp.idempotencyKey);
        if (!row) throw error;
        return repeatedSignUp(signUp, row);
      }
    });
  }

  async check() {
    this.#attempt(() => this.#findPlan.get(''));
  }

  async close() {
    if (this.#database.isOpen) this.#database.close();
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explained(error, this.#database.location() ?? 'product.sqlite');
    }
  }
}
