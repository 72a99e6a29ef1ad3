import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface AdminPassword {
  /** Where it is kept, readable by its owner only. */
  readonly file: string;
  readonly password: string;
  /** Whether a site that exists already has to take it over. */
  readonly changed: boolean;
}

/**
 * The password of the WordPress user `admin`: the one given, else the one kept
 * in the data folder, else a new one, which is kept there.
 *
 * @throws When the file is there but holds something else.
 */
export function adminPassword(dataDir: string, given: string | undefined): AdminPassword {
  const file = path.join(dataDir, 'wordpress-admin.json');
  const kept = readKept(file);
  const password = given ?? kept ?? randomBytes(15).toString('base64url');
  const changed = password !== kept;
  if (changed) {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, `${JSON.stringify({ user: 'admin', password }, undefined, 2)}\n`, {
      mode: 0o600,
    });
  }
  return { file, password, changed };
}

function readKept(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  let password: unknown;
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document && 'password' in document) {
      password = document.password;
    }
  } catch {
    // Falls to the message below, without the parser's: it quotes the secret.
  }
  if (typeof password !== 'string' || password === '') {
    throw new Error(
      `Expected ${file} to be {"user":"admin","password":"…"}. Repair it, or delete it to get a new password.`,
    );
  }
  return password;
}
