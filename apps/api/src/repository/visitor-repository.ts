import { auditStatement } from './audit-repository.ts';
import type { AuditEntry } from './audit-repository.ts';
import { takeTurn } from './drain-turn.ts';
import { digestOf } from './digest.ts';
import type { SqlDatabase, Transaction } from './sql-database.ts';

/** What the database holds of visitors. Rejects as `ProductRepository` does. */
export interface VisitorRepository {
  /**
   * Takes the visitor's id, and what else leads to them, out of all that is stored: sign-ups lose
   * the id and the assignments that came with it; what is tracked gets another id in its place,
   * and loses the ids of requests, which stand in access logs too. Sign-ups and counts stay, but
   * nobody can tell who they were by. Events that come later are dropped. All or nothing.
   *
   * @param pseudonym a visitor id that nobody has
   * @returns how many sign-ups named the visitor
   */
  forget(visitor: string, pseudonym: string, audit: AuditEntry): Promise<number>;
}

export function createVisitorRepository(database: SqlDatabase): VisitorRepository {
  return {
    forget: (visitor, pseudonym, audit) => database.run(forgetting(visitor, pseudonym, audit)),
  };
}

function* forgetting(visitor: string, pseudonym: string, audit: AuditEntry): Transaction<number> {
  yield takeTurn;
  yield {
    table: 'forgotten_visitors',
    columns: ['digest', 'forgotten_at'],
    rows: [[digestOf(visitor), audit.at]],
    existing: { action: 'keep' },
  };
  yield* renaming(visitor, pseudonym);
  // Byte by byte within a text: LIKE would take the _ of an id for any character.
  yield { sql: 'DELETE FROM unreadable_events WHERE INSTR(event, ?) > 0', values: [visitor] };
  const [named] = yield {
    sql: 'SELECT COUNT(*) AS sign_ups FROM sign_ups WHERE visitor = ?',
    values: [visitor],
  };
  yield {
    sql: 'UPDATE sign_ups SET visitor = NULL, assignments = NULL WHERE visitor = ?',
    values: [visitor],
  };
  yield auditStatement(audit);
  return Number(named?.['sign_ups'] ?? 0);
}

/** In each table of tracking: the visitor's id, and what else it holds that leads to them. */
const TRACKED = {
  experiment_visitors: 'session_id = ?, request_id = NULL',
  visitor_results: 'session_id = ?',
  test_results: 'session_id = ?, request_id = NULL',
};

function* renaming(visitor: string, pseudonym: string): Transaction<void> {
  // Each phase by itself, since the indexes begin with it.
  const phases = yield {
    sql: 'SELECT DISTINCT experiment, phase FROM experiment_visitors',
    values: [],
  };
  for (const { experiment, phase } of phases) {
    for (const [table, changes] of Object.entries(TRACKED)) {
      yield {
        sql: `UPDATE ${table} SET ${changes} WHERE experiment = ? AND phase = ? AND session_id = ?`,
        values: [pseudonym, String(experiment), Number(phase), visitor],
      };
    }
  }
}
