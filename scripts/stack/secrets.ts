// Secrets that the environment does not give are made once and kept.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Secrets {
  /** The first signs visitor cookies, all verify them. */
  readonly cookieSecrets: readonly string[];
  readonly adminToken: string;
  /** Of the database user that `--services` makes. */
  readonly databasePassword: string;
}

/**
 * Reads `secrets.json` of the data folder, and adds to it (mode 0600) what is missing:
 * all of it at first, some of it if the edge has run there alone.
 *
 * @param random `count` random bytes
 * @throws {Error} if the file is there but cannot be read as secrets
 */
export function keptSecrets(folder: string, random: (count: number) => Buffer): Secrets {
  const file = path.join(folder, 'secrets.json');
  const secret = (): string => random(32).toString('base64url');
  const kept = readKept(file);
  const secrets: Secrets = {
    cookieSecrets: kept.cookieSecrets ?? [secret()],
    adminToken: kept.adminToken ?? secret(),
    databasePassword: kept.databasePassword ?? secret(),
  };
  if (Object.keys(secrets).some((name) => !Object.hasOwn(kept, name))) {
    // Whole or not at all: a half-written file would cost every visitor's cookie.
    const draft = `${file}.new`;
    writeFileSync(draft, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, file);
  }
  return secrets;
}

function readKept(file: string): Partial<Secrets> {
  const advice =
    'Restore it from a backup; if you remove it, new secrets are made and every visitor counts as new.';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON. ${advice}`, { cause });
  }
  if (!holdsSecrets(value))
    throw new Error(
      `${file} is damaged: expected {"cookieSecrets": ["…"], "adminToken": "…", "databasePassword": "…"}. ${advice}`,
    );
  return value;
}

function holdsSecrets(value: unknown): value is Partial<Secrets> {
  if (typeof value !== 'object' || value === null) return false;
  const { cookieSecrets, adminToken, databasePassword }: Record<string, unknown> = { ...value };
  return (
    (cookieSecrets === undefined ||
      (Array.isArray(cookieSecrets) &&
        cookieSecrets.length > 0 &&
        cookieSecrets.every(isSecret))) &&
    (adminToken === undefined || isSecret(adminToken)) &&
    (databasePassword === undefined || isSecret(databasePassword))
  );
}

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 16;
}
