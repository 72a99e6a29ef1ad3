/** What every file of ours in SQLite needs: a schema of its own, and writes in groups. */
export { createGroupCommit } from './group-commit.ts';
export { openDatabase } from './open.ts';
export type { Contents } from './open.ts';
export { SQLITE_BUSY, primaryResultCode } from './result-code.ts';
