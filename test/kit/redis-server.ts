import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endServerProcess, freePort, startServerProcess } from './server-process.ts';

/** A redis-server of its own for one test file, with an empty temporary data folder. */
export interface RedisServer {
  /** `redis://127.0.0.1:PORT`, or `redis+cluster://…` for a Cluster. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
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

export interface RedisServerOptions {
  /** Starts a Cluster of one node that owns every slot. */
  readonly cluster?: boolean;
  /** Further options of redis-server, such as `--maxmemory`, `1mb`. */
  readonly settings?: readonly string[];
}

const SERVER = 'redis-server';
const CLIENT = 'redis-cli';
const HOST = '127.0.0.1';
/** Milliseconds that start and stop may take on a loaded machine. */
const PATIENCE = 20_000;
/** Ports tried: another process can take the port between the probe and the start. */
const ATTEMPTS = 5;
const MISSING = 'No redis-server found in PATH. On Debian: apt-get install redis-server.';

/**
 * Whether this machine has a redis-server, so that a test may be left out where there is
 * none. Under `CI=true` its absence is an error: there, nothing may go untested.
 */
export function hasRedis(): boolean {
  if (spawnSync(SERVER, ['--version'], { stdio: 'ignore' }).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  return false;
}

/** Starts a server on a free port, with append-only persistence as in production. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { cluster = false, settings = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'turnout-redis-'));
  let port = 0;
  const start = async (): Promise<ChildProcess> =>
    startServerProcess(
      SERVER,
      [
        '--bind',
        HOST,
        '--port',
        String(port),
        '--dir',
        folder,
        '--appendonly',
        'yes',
        '--save',
        '',
        // A node that no other has told its address does not know it, and announces none.
        ...(cluster ? ['--cluster-enabled', 'yes', '--cluster-announce-ip', HOST] : []),
        ...(cluster ? ['--cluster-port', String(await freePort())] : []),
        ...settings,
      ],
      'Ready to accept connections',
    );
  try {
    let server: ChildProcess | undefined;
    for (let attempt = 1; server === undefined; attempt += 1) {
      port = await freePort();
      server = await start().catch((error: unknown) => {
        if (attempt === ATTEMPTS || !String(error).includes('in use')) throw error;
        return undefined;
      });
    }
    let running = server;
    if (cluster) ownAllSlots(port);
    return {
      url: `${cluster ? 'redis+cluster' : 'redis'}://${HOST}:${port}`,
      host: HOST,
      port,
      pause: () => void running.kill('SIGSTOP'),
      resume: () => void running.kill('SIGCONT'),
      kill: () => endServerProcess(running, 'SIGKILL'),
      async restart() {
        running = await start();
      },
      async stop() {
        await endServerProcess(running, 'SIGTERM');
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function ownAllSlots(port: number): void {
  const cli = (...command: string[]): string =>
    spawnSync(CLIENT, ['-h', HOST, '-p', String(port), ...command], { encoding: 'utf8' }).stdout;
  const answer = cli('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  if (answer.trim() !== 'OK') throw new Error(`The Cluster did not take its slots: ${answer}`);
  const patience = performance.now() + PATIENCE;
  while (!cli('CLUSTER', 'INFO').includes('cluster_state:ok')) {
    if (performance.now() > patience) throw new Error('The Cluster did not become ready.');
  }
}
