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
  /** Newest first: entries earlier than `before`, at most `limit`. */
  list(page: { readonly before?: Date; readonly limit: number }): Promise<AuditEntry[]>;
}

export function createAuditRepository(database: SqlDatabase): AuditRepository {
  return {
    async record(entry) {
      await database.transact([auditStatement(entry)]);
    },
    async list({ before, limit }) {
      const rows = await database.rows(
        `SELECT created_at, author, action, subject, reason FROM audit
         ${before === undefined ? '' : 'WHERE created_at < ?'}
         ORDER BY created_at DESC, id DESC LIMIT ${Math.trunc(limit)}`,
        before === undefined ? [] : [before],
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
