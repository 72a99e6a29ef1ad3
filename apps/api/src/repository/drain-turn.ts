import type { Statement } from './sql-database.ts';

/**
 * The first statement of every transaction that changes what is tracked. It holds a row until
 * the transaction ends, so that processes take turns: what one reads from here on is what the
 * others have left, and none waits for another in a circle.
 */
export const takeTurn: Statement = {
  sql: 'UPDATE drain_turns SET taken = taken + 1 WHERE id = 1',
  values: [],
};
