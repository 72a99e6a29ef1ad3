import { auditStatement } from './audit-repository.ts';
import type { AuditEntry } from './audit-repository.ts';
import type { SqlDatabase } from './sql-database.ts';

/** What the database holds of visitors. Rejects as `ProductRepository` does. */
export interface VisitorRepository {
  /**
   * Takes the visitor's id, and the assignments that came with it, out of sign-ups: the
   * sign-ups stay, but nobody can tell who they were by.
   *
   * @returns how many sign-ups named the visitor
   */
  forget(visitor: string, audit: AuditEntry): Promise<number>;
}

export function createVisitorRepository(database: SqlDatabase): VisitorRepository {
  return {
    async forget(visitor, audit) {
      const changed = await database.transact([
        auditStatement(audit),
        {
          sql: 'UPDATE sign_ups SET visitor = NULL, assignments = NULL WHERE visitor = ?',
          values: [visitor],
        },
      ]);
      return changed?.[1] ?? 0;
    },
  };
}
