/** Primary result codes of SQLite: https://www.sqlite.org/rescode.html */
export const SQLITE_ERROR = 1;
export const SQLITE_BUSY = 5;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;

/** The primary result code of an error of node:sqlite; undefined for any other error. */
export function primaryResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error)) return undefined;
  // The low byte: SQLITE_BUSY_SNAPSHOT and others are busy too.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
