import { timeOf } from './sql-database.ts';
import type { SqlDatabase, Statement } from './sql-database.ts';

/** What somebody did. */
export interface AuditEntry {
  readonly at: Date;
  readonly author: string;
  /** Such as `experiment.change`. */
  readonly action: string;
  /** What it was done to: an experiment's key, a visitor's fingerprint. */
  readonly subject: string;
  readonly reason: string;
}

/** Who did what. Rejects as `ProductRepository` does. */
export interface AuditRepository {
  record(entry: AuditEntry): Promise<void>;
  /**
   * Newest first: entries earlier than `before`, at most `limit`, and whatever else is of the
   * last one's moment: the next page begins before it.
   */
  list(page: { readonly before?: Date; readonly limit: number }): Promise<AuditEntry[]>;
}

export function createAuditRepository(database: SqlDatabase): AuditRepository {
  return {
    async record(entry) {
      await database.transact([auditStatement(entry)]);
    },
    async list({ before, limit }) {
      const page = before === undefined ? [] : [before];
      const isBefore = before === undefined ? '' : 'WHERE created_at < ?';
      const rows = await database.rows(
        `SELECT created_at, author, action, subject, reason FROM audit
         WHERE ${before === undefined ? '' : 'created_at < ? AND'} created_at >= (
           SELECT MIN(created_at) FROM (
             SELECT created_at FROM audit ${isBefore}
             ORDER BY created_at DESC LIMIT ${Math.trunc(limit)}
           ) AS page
         )
         ORDER BY created_at DESC, id DESC`,
        [...page, ...page],
      );
      return rows.map((row) => ({
        at: timeOf(row['created_at']),
        author: String(row['author']),
        action: String(row['action']),
        subject: String(row['subject']),
        reason: String(row['reason']),
      }));
    },
  };
}

/** Stores an entry, as a part of the transaction that does what it tells. */
export function auditStatement({ at, author, action, subject, reason }: AuditEntry): Statement {
  return {
    sql: 'INSERT INTO audit (created_at, author, action, subject, reason) VALUES (?, ?, ?, ?, ?)',
    values: [at, author, action, subject, reason],
  };
}
