import { createPool } from 'mysql2';
import { createConnection } from 'mysql2/promise';
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { migrations } from './migrations.ts';
import { migrateMysql } from './mysql-migrate.ts';
import { runTransaction } from './mysql-transaction.ts';
import { SESSION, connectionOptions, errorCode, explained } from './mysql-session.ts';
import type { NewSignUp, SignUpOutcome } from './product-repository.ts';
import { managementRepositories } from './repository.ts';
import type { Repository } from './repository.ts';
import type { SqlDatabase, SqlValue, Statement } from './sql-database.ts';
import { createdSignUp, isPlanId, planColumns, planOfRow, repeatedSignUp } from './stored-rows.ts';
import { TimeLimitExceeded, withinTime } from './time-limit.ts';

/** How long one call may wait for a connection, and then for its answer, in milliseconds. */
const QUERY_TIMEOUT = 2_000;
/** The same for a transaction of many rows, which may have to wait for its turn as well. */
const TRANSACTION_TIMEOUT = 60_000;
/** Calls that wait for one of the pool's connections; beyond, a call fails at once. */
const QUEUE_LIMIT = 1_000;
/** How long closing waits for the server's goodbye, in milliseconds. */
const CLOSE_TIMEOUT = 500;

/**
 * Connects to MySQL or MariaDB and migrates the database. Rejects with
 * `RepositoryUnavailable` when the server does not answer, with
 * `RepositoryUnusable` when it refuses the user or the database.
 */
export async function openMysqlRepository(url: string): Promise<Repository> {
  try {
    const connection = await createConnection(connectionOptions(url));
    try {
      await connection.query(SESSION);
      await migrateMysql(connection, migrations);
    } finally {
      connection.destroy();
    }
  } catch (error) {
    throw explained(error, url);
  }
  return new MysqlRepository(url);
}

class MysqlRepository implements Repository {
  readonly experiments;
  readonly audit;
  readonly visitors;
  readonly ramps;
  readonly tracking;
  readonly results;
  readonly #url: string;
  readonly #pool: Pool;
  #closed: Promise<void> | undefined;

  constructor(url: string) {
    this.#url = url;
    const pool = createPool({ ...connectionOptions(url), queueLimit: QUEUE_LIMIT });
    pool.on('connection', (connection) => {
      // Queued before the first statement of whoever asked for the connection.
      connection.query(SESSION, (error) => {
        if (error) connection.destroy();
      });
    });
    this.#pool = pool.promise();
    const database: SqlDatabase = {
      rows: (sql, values) => this.#rows(sql, values),
      transact: (statements) => this.#transact(statements),
      run: (transaction) =>
        this.#using((connection) => runTransaction(connection, transaction), TRANSACTION_TIMEOUT),
    };
    const management = managementRepositories(database);
    this.experiments = management.experiments;
    this.audit = management.audit;
    this.visitors = management.visitors;
    this.ramps = management.ramps;
    this.tracking = management.tracking;
    this.results = management.results;
  }

  async listPlans() {
    const rows = await this.#rows(`SELECT ${planColumns} FROM plans ORDER BY price, id`);
    return rows.map(planOfRow);
  }

  async findPlan(id: string) {
    if (!isPlanId(id)) return undefined;
    const [row] = await this.#rows(`SELECT ${planColumns} FROM plans WHERE id = ?`, [id]);
    return row && planOfRow(row);
  }

  async recordSignUp(signUp: NewSignUp): Promise<SignUpOutcome> {
    if (!isPlanId(signUp.plan)) return { outcome: 'unknown-plan' };
    try {
      await this.#rows(
        `INSERT INTO sign_ups (id, plan, name, email, created_at, visitor, assignments, idempotency_key)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          signUp.id,
          signUp.plan,
          signUp.name,
          signUp.email,
          signUp.createdAt,
          signUp.visitor,
          signUp.assignments,
          signUp.idempotencyKey,
        ],
      );
      return createdSignUp(signUp);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ER_NO_REFERENCED_ROW_2') return { outcome: 'unknown-plan' };
      if (code !== 'ER_DUP_ENTRY' || signUp.idempotencyKey === null) throw error;
      const [row] = await this.#rows(
        'SELECT id, plan, name, email, created_at FROM sign_ups WHERE idempotency_key = ?',
        [signUp.idempotencyKey],
      );
      if (!row) throw error;
      return repeatedSignUp(signUp, row);
    }
  }

  async check() {
    await this.#rows('SELECT id FROM plans LIMIT 1');
  }

  async close() {
    // A hung server says no goodbye; the process must end all the same.
    this.#closed ??= withinTime(this.#pool.end(), CLOSE_TIMEOUT).catch(() => undefined);
    await this.#closed;
  }

  /** Runs one prepared statement. */
  async #rows(sql: string, values: readonly SqlValue[] = []): Promise<RowDataPacket[]> {
    return this.#using(async (connection) => {
      const [rows] = await connection.execute<RowDataPacket[]>(sql, [...values]);
      return rows;
    });
  }

  /** Runs a transaction; see `SqlDatabase`. */
  async #transact(statements: readonly [Statement, ...Statement[]]): Promise<number[] | undefined> {
    return this.#using(async (connection) => {
      await connection.beginTransaction();
      try {
        const changes: number[] = [];
        for (const { sql, values, mustChange } of statements) {
          const [done] = await connection.execute<ResultSetHeader>(sql, [...values]);
          if (done.affectedRows === 0 && (mustChange || changes.length === 0)) {
            await connection.rollback();
            return undefined;
          }
          changes.push(done.affectedRows);
        }
        await connection.commit();
        return changes;
      } catch (error) {
        // A connection that goes back to the pool must hold no lock.
        await connection.rollback();
        throw error;
      }
    });
  }

  /** Lends one connection, for as long as one call may take. */
  async #using<T>(
    work: (connection: PoolConnection) => Promise<T>,
    timeout = QUERY_TIMEOUT,
  ): Promise<T> {
    const connection = await this.#connection();
    try {
      // The driver's own `timeout` does not cover preparing a statement.
      const result = await withinTime(work(connection), timeout);
      connection.release();
      return result;
    } catch (error) {
      // A late answer must not meet the connection's next user.
      if (error instanceof TimeLimitExceeded) connection.destroy();
      else connection.release();
      throw explained(error, this.#url);
    }
  }

  async #connection(): Promise<PoolConnection> {
    const pending = this.#pool.getConnection();
    try {
      return await withinTime(pending, QUERY_TIMEOUT);
    } catch (error) {
      if (error instanceof TimeLimitExceeded) {
        // Nobody waits for it any more when it comes; give it back then.
        pending.then(
          (connection) => connection.release(),
          () => undefined,
        );
      }
      throw explained(error, this.#url);
    }
  }
}
