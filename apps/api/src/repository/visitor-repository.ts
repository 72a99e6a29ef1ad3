import { auditStatement } from './audit-repository.ts';
import type { AuditEntry } from './audit-repository.ts';
import { takeTurn } from './drain-turn.ts';
import type { SqlDatabase, Transaction } from './sql-database.ts';

/** What the database holds of visitors. Rejects as `ProductRepository` does. */
export interface VisitorRepository {
  /**
   * Takes the visitor's id, and the assignments that came with it, out of sign-ups, and puts
   * another one in its place in what is tracked: sign-ups and counts stay, but nobody can tell
   * who they were by.
   *
   * @param pseudonym a visitor id that nobody has
   * @returns how many sign-ups named the visitor
   */
  forget(visitor: string, pseudonym: string, audit: AuditEntry): Promise<number>;
}

export function createVisitorRepository(database: SqlDatabase): VisitorRepository {
  return {
    async forget(visitor, pseudonym, audit) {
      await database.run(renaming(visitor, pseudonym));
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

function* renaming(visitor: string, pseudonym: string): Transaction<void> {
  yield takeTurn;
  // Each phase by itself, since the indexes begin with it.
  const phases = yield {
    sql: 'SELECT DISTINCT experiment, phase FROM experiment_visitors',
    values: [],
  };
  for (const { experiment, phase } of phases) {
    for (const table of ['experiment_visitors', 'visitor_results', 'test_results']) {
      yield {
        sql: `UPDATE ${table} SET session_id = ?
              WHERE experiment = ? AND phase = ? AND session_id = ?`,
        values: [pseudonym, String(experiment), Number(phase), visitor],
      };
    }
  }
}
