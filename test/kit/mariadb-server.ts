import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { endServerProcess, freePort, startServerProcess } from './server-process.ts';

/** A MariaDB server of its own for one test file, with an empty temporary data folder. */
export interface MariadbServer {
  /** `mysql://root@127.0.0.1:PORT/turnout`; the database exists and is empty. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket. */
  readonly socket: string;
  /** Of the server as it runs now. */
  pid(): number;
  /** Makes another empty database and answers its URL. */
  createDatabase(): Promise<string>;
  /** Freezes the server: it accepts connections and answers nothing, as a hung machine does. */
  pause(): void;
  /** Thaws a paused server. */
  resume(): void;
  /** Ends the server as a power cut would, keeping its data folder. */
  kill(): Promise<void>;
  /** Starts a killed server again on the same port and data folder. */
  restart(): Promise<void>;
  /** Ends the server and removes its data folder. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

// Folders that hold the server without being in every user's PATH: Debian,
// Fedora, Homebrew.
const MORE_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/bin',
  '/opt/homebrew/opt/mariadb/bin',
  '/usr/local/opt/mariadb/bin',
];

/**
 * Whether this machine has a MariaDB server, so that a test may be left out
 * where there is none. Under `CI=true` its absence is an error: there, nothing
 * may go untested.
 */
export function hasMariadb(): boolean {
  if (findPrograms()) return true;
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  return false;
}

const MISSING =
  'No MariaDB server found (mariadbd and mariadb-install-db, in PATH or the usual folders). ' +
  'On Debian: apt-get install mariadb-server.';

/**
 * Installs and starts a server on a free port. `settings` are further options
 * of mariadbd, such as `--sql-mode=`.
 */
export async function startMariadb(settings: readonly string[] = []): Promise<MariadbServer> {
  const programs = findPrograms();
  if (!programs) throw new Error(MISSING);
  const folder = await mkdtemp(join(tmpdir(), 'turnout-mariadb-'));
  const data = join(folder, 'data');
  const socket = join(folder, 's');
  // The server refuses to run as root unless told to.
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  try {
    await finish(
      spawn(
        programs.install,
        [
          '--no-defaults',
          `--datadir=${data}`,
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
          ...user,
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    );
    const port = await freePort();
    const start = () =>
      startServerProcess(
        programs.server,
        [
          '--no-defaults',
          `--datadir=${data}`,
          `--socket=${socket}`,
          `--pid-file=${join(folder, 'pid')}`,
          `--port=${port}`,
          `--bind-address=${HOST}`,
          '--skip-name-resolve',
          '--innodb-buffer-pool-size=16M',
          ...user,
          ...settings,
        ],
        'ready for connections',
      );
    let server = await start();
    let databases = 0;
    const createDatabase = async () => {
      const name = databases === 0 ? 'turnout' : `turnout_${databases}`;
      databases += 1;
      const connection = await createConnection({ host: HOST, port, user: 'root' });
      try {
        await connection.query(`CREATE DATABASE ${name}`);
      } finally {
        await connection.end();
      }
      return `mysql://root@${HOST}:${port}/${name}`;
    };
    return {
      url: await createDatabase(),
      host: HOST,
      port,
      socket,
      pid: () => server.pid ?? 0,
      createDatabase,
      pause: () => void server.kill('SIGSTOP'),
      resume: () => void server.kill('SIGCONT'),
      kill: () => endServerProcess(server, 'SIGKILL'),
      async restart() {
        server = await start();
      },
      async stop() {
        await endServerProcess(server, 'SIGTERM');
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function findPrograms(): { server: string; install: string } | undefined {
  const server = findProgram('mariadbd', 'mysqld');
  const install = findProgram('mariadb-install-db', 'mysql_install_db');
  return server && install ? { server, install } : undefined;
}

/** Path of the first of `names` that can be run. */
function findProgram(...names: string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS];
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Waits for a program that is meant to succeed; rejects with its output when it does not. */
async function finish(child: ChildProcess): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-2_000);
    });
  }
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${child.spawnfile} ended with ${code}:\n${output}`));
    });
  });
}
