import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endServerProcess, freePort, startServerProcess } from './server-process.ts';
import { until } from './until.ts';

/** A redis-server of its own for one test file, with an empty temporary data folder. */
export interface RedisServer {
  /** `redis://127.0.0.1:PORT`, or `redis+cluster://…` for a Cluster. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Where the nodes of a Cluster talk to each other; undefined outside of one. */
  readonly busPort: number | undefined;
  /** Of the server as it runs now. */
  pid(): number;
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
  /** Starts a node of a Cluster: one that owns every slot, or the first to the last given. */
  readonly cluster?: boolean | readonly [first: number, last: number];
  /** Further options of redis-server, such as `--maxmemory`, `1mb`. */
  readonly settings?: readonly string[];
}

const SERVER = 'redis-server';
const CLIENT = 'redis-cli';
const HOST = '127.0.0.1';
/** Ports tried: another process can take the port between the probe and the start. */
const ATTEMPTS = 5;
const ALL_SLOTS = [0, 16_383] as const;
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

/** Starts a server on a free port, which has on its disk what it confirms, as in production. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { cluster = false, settings = [] } = options;
  const slots = cluster === true ? ALL_SLOTS : cluster;
  const folder = await mkdtemp(join(tmpdir(), 'turnout-redis-'));
  let port = 0;
  let busPort: number | undefined;
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
        '--appendfsync',
        'always',
        '--save',
        '',
        // A node that no other has told its address does not know it, and announces none.
        ...(slots === false ? [] : ['--cluster-enabled', 'yes', '--cluster-announce-ip', HOST]),
        ...(busPort === undefined ? [] : ['--cluster-port', String(busPort)]),
        ...settings,
      ],
      'Ready to accept connections',
    );
  try {
    let server: ChildProcess | undefined;
    for (let attempt = 1; server === undefined; attempt += 1) {
      port = await freePort();
      if (slots !== false) busPort = await freePort();
      server = await start().catch((error: unknown) => {
        if (attempt === ATTEMPTS || !String(error).includes('in use')) throw error;
        return undefined;
      });
    }
    let running = server;
    if (slots !== false) await ownSlots(port, slots);
    return {
      url: `${slots === false ? 'redis' : 'redis+cluster'}://${HOST}:${port}`,
      host: HOST,
      port,
      busPort,
      pid: () => running.pid ?? 0,
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

/**
 * Sends one command to a server on this machine.
 *
 * @returns what it answered, as `redis-cli` shows it
 */
export function runRedisCommand(port: number, ...command: string[]): string {
  return spawnSync(CLIENT, ['-h', HOST, '-p', String(port), ...command], { encoding: 'utf8' })
    .stdout;
}

async function ownSlots(port: number, [first, last]: readonly [number, number]): Promise<void> {
  const answer = runRedisCommand(port, 'CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
  if (answer.trim() !== 'OK') throw new Error(`The node did not take its slots: ${answer}`);
  const info = (): string => runRedisCommand(port, 'CLUSTER', 'INFO');
  await until('a Cluster', info, (text) => text.includes('cluster_state:ok'));
}
