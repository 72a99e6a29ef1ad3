// Programs of the operating system: those that `--services` and the tests use. Found,
// or on Debian installed, or named with the command that installs them.

import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import type { Environment } from './settings.ts';

/** Paths of the programs that `--services` runs. */
export interface Programs {
  readonly redis: string;
  /** mariadbd or mysqld. */
  readonly mysqld: string;
  /** mariadb-install-db; MySQL sets its data folder up by mysqld itself. */
  readonly mysqlInstall: string | undefined;
  readonly php: string;
}

/** A program that can be missing. */
export interface SystemProgram {
  /** For people. */
  readonly name: string;
  /** Any of these will do. */
  readonly commands: readonly string[];
  readonly debianPackages: readonly string[];
  /** What else must hold of it, asked of the program found. */
  readonly complaint?: (program: string) => Promise<string | undefined>;
}

export const redisServer: SystemProgram = {
  name: 'redis-server',
  commands: ['redis-server'],
  debianPackages: ['redis-server'],
};

export const mariadbServer: SystemProgram = {
  name: 'MariaDB or MySQL',
  commands: ['mariadbd', 'mysqld'],
  // The bare server, without the system service that `mariadb-server` would start.
  debianPackages: ['mariadb-server-core', 'mariadb-client-core'],
};

export const php: SystemProgram = {
  name: 'PHP with mysqli and pdo_sqlite',
  commands: ['php'],
  debianPackages: [
    'php-cli',
    'php-mysql',
    'php-sqlite3',
    'php-curl',
    'php-gd',
    'php-mbstring',
    'php-xml',
  ],
  async complaint(program) {
    const { stdout } = await promisify(execFile)(program, ['-m'], { timeout: 10_000 });
    const extensions = new Set(stdout.split('\n'));
    const missing = ['mysqli', 'pdo_sqlite'].filter((name) => !extensions.has(name));
    if (missing.length === 0) return undefined;
    return `${program} lacks the extension ${missing.join(' and ')}`;
  },
};

export const chromium: SystemProgram = {
  name: 'Chromium',
  commands: ['chromium', 'chromium-browser', 'google-chrome'],
  debianPackages: ['chromium'],
};

export interface Missing {
  readonly program: SystemProgram;
  readonly why: string;
}

/** Folders where servers are kept that a plain user's PATH leaves out. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];

/** The path of the first of `commands` that is there. */
export function findProgram(commands: readonly string[], env: Environment): string | undefined {
  const folders = [...(env.PATH ?? '').split(path.delimiter), ...serverFolders].filter(Boolean);
  const candidates = commands.flatMap((command) =>
    folders.map((folder) => path.join(folder, command)),
  );
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Those of `programs` that are not there, or not as they must be. */
export async function missingPrograms(
  programs: readonly SystemProgram[],
  env: Environment,
): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const program of programs) {
    const found = findProgram(program.commands, env);
    const why =
      found === undefined
        ? `${program.commands.join(' or ')} is not in the PATH`
        : await program.complaint?.(found);
    if (why !== undefined) missing.push({ program, why });
  }
  return missing;
}

/** The command that installs what is missing on Debian and its kin. */
export function installCommand(missing: readonly Missing[]): string {
  const packages = missing.flatMap(({ program }) => program.debianPackages);
  return `apt-get install --no-install-recommends -y ${packages.join(' ')}`;
}

/** Whether we could install: Debian or a kin of it, as root. */
export function mayInstallHere(): boolean {
  return process.getuid?.() === 0 && isDebian() && existsSync('/usr/bin/apt-get');
}

/** Asks on the terminal; no terminal means no. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`${question} [Y/n] `);
    return /^(?:y(?:es)?)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/**
 * @param logDescriptor where apt-get's output goes
 * @throws {Error} if it fails
 */
export async function install(
  missing: readonly Missing[],
  env: Environment,
  logDescriptor: number,
): Promise<void> {
  for (const command of ['apt-get update', installCommand(missing)]) {
    const [program = '', ...args] = command.split(' ');
    const child = spawn(program, args, {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', logDescriptor, logDescriptor],
    });
    const code = await new Promise((resolve) => {
      child.once('error', () => resolve(127));
      child.once('exit', resolve);
    });
    if (code !== 0) throw new Error(`\`${command}\` failed (exit code ${String(code)})`);
  }
}

function isDebian(): boolean {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
}
