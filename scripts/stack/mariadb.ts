// A MariaDB (or MySQL) of our own: its data folder, its two databases, one user.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { mysqlProbe } from './readiness.ts';
import { nativeServer } from './server-command.ts';
import type { Environment } from './settings.ts';
import type { Service } from './supervised-service.ts';
import type { Programs } from './system-programs.ts';

/** Unix socket paths hold at most about 104 bytes; longer folders get one under the temporary folder. */
const longestSocketPath = 100;

/**
 * @param folder its data; set up at the first use, which takes a second
 * @param password of the user `turnout`, who owns the databases `turnout` and `wordpress`
 * @throws {Error} if the data folder cannot be set up
 */
export async function mariadb(
  programs: Pick<Programs, 'mysqld' | 'mysqlInstall'>,
  folder: string,
  port: number,
  password: string,
  env: Environment,
): Promise<Service> {
  const data = path.join(folder, 'data');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(data)) await setUp(programs, folder, data, env);
  const init = path.join(folder, 'init.sql');
  writeFileSync(init, initStatements(password), { mode: 0o600 });
  const args = [
    '--no-defaults',
    ...asUser(),
    `--datadir=${data}`,
    `--socket=${socketPath(folder)}`,
    `--pid-file=${path.join(folder, 'server.pid')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    `--init-file=${init}`,
  ];
  return {
    name: 'mysql',
    where: `:${port}`,
    command: nativeServer(programs.mysqld, args, { cwd: folder, env }),
    isReady: mysqlProbe(port),
    readyWithinMs: 60_000,
    stopWithinMs: 15_000,
  };
}

/** Beside first, then renamed: a set-up that was interrupted is not taken for a database. */
async function setUp(
  { mysqld, mysqlInstall }: Pick<Programs, 'mysqld' | 'mysqlInstall'>,
  folder: string,
  data: string,
  env: Environment,
): Promise<void> {
  const draft = path.join(folder, 'data.new');
  rmSync(draft, { recursive: true, force: true });
  const [program, args] =
    mysqlInstall === undefined
      ? [mysqld, ['--no-defaults', ...asUser(), '--initialize-insecure', `--datadir=${draft}`]]
      : [
          mysqlInstall,
          [
            '--no-defaults',
            ...asUser(),
            `--datadir=${draft}`,
            '--auth-root-authentication-method=normal',
            '--skip-test-db',
          ],
        ];
  try {
    await promisify(execFile)(program, args, { env, timeout: 60_000 });
  } catch (cause) {
    const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Error(`${program} could not set up a database in ${draft}:\n${output}`, { cause });
  }
  renameSync(draft, data);
}

/** Run at every start: makes what is missing, and brings the passwords in line. */
function initStatements(password: string): string {
  // base64url: no quote to escape.
  return [
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    'CREATE DATABASE IF NOT EXISTS turnout CHARACTER SET utf8mb4;',
    'CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;',
    `CREATE USER IF NOT EXISTS 'turnout'@'%' IDENTIFIED BY '${password}';`,
    `ALTER USER 'turnout'@'%' IDENTIFIED BY '${password}';`,
    "GRANT ALL ON turnout.* TO 'turnout'@'%';",
    "GRANT ALL ON wordpress.* TO 'turnout'@'%';",
    '',
  ].join('\n');
}

function socketPath(folder: string): string {
  const wished = path.join(folder, 'server.sock');
  if (Buffer.byteLength(wished) <= longestSocketPath) return wished;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return path.join(os.tmpdir(), `turnout-${hash}.sock`);
}

/** The server refuses to run as root unless told to. */
function asUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
