import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const fileSchema = z.object({ cookieSecrets: z.array(z.string().min(16)).min(1) });

/**
 * The secrets that sign visitor cookies, from the data folder; made there, once,
 * when there are none. They must outlive restarts: without them every visitor
 * would be new.
 *
 * @throws {Error} naming the folder and the setting, where it can't be read or written
 */
export function cookieSecrets(dataDir: string): readonly string[] {
  const file = join(dataDir, 'secrets.json');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    if (!existsSync(file)) make(file, { cookieSecrets: [randomBytes(32).toString('base64url')] });
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw unusable(dataDir, error);
  }
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).cookieSecrets;
  } catch (error) {
    throw new Error(
      `${file} is damaged: expected {"cookieSecrets": ["…"]}. Restore it from a backup; ` +
        'if you delete it, a new secret is made and every visitor counts as new.',
      { cause: error },
    );
  }
}

/** Makes the file whole, or fails when it is there: two starts at once agree on the first one's. */
function make(file: string, secrets: unknown): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, `${JSON.stringify(secrets)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } finally {
    rmSync(draft);
  }
}

function unusable(dataDir: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    `Can't write in the data folder ${dataDir}: ${reason}. ` +
      'Make it writable, or name another one by TURNOUT_DATA_DIR or dataDir.',
    { cause },
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
