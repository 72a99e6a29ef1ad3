import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../scripts/stack/ports.ts';
import { send } from './http.ts';
import { descendantsOf, survivorsOf, type ProcessEntry } from './processes.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** What the servers of the stack are called in the list of processes. Next.js renames itself. */
const SERVERS = {
  api: /apps\/api\/src\/main\.ts/,
  next: /next-server|next\/dist\/bin\/next/,
  vue: /apps\/vue\/src\/server\.ts/,
  wordpress: /wordpress\/server\/main\.ts/,
  edge: /packages\/cli\/src\/main\.ts serve/,
} as const;
type StackServer = keyof typeof SERVERS;
type BackingServer = 'redis' | 'mysql';

/** Milliseconds within which the stack must be ready: WordPress installs itself at the first start. */
const READY_WITHIN = 170_000;
/** Milliseconds from Ctrl-C to the end: the drain and stop times of the runner, and some grace. */
const STOPPED_WITHIN = 45_000;

/** The whole stack, as `npm start` runs it once the bootstrap has installed and built. */
export interface StackProcess {
  /** `http://localhost:PORT`, as the runner tells people. */
  readonly url: string;
  readonly privateUrl: string;
  /** Outlives the stack until `remove`. */
  readonly dataDir: string;
  /** All that the runner has printed. */
  output(): string;
  /** All that a server has logged. */
  log(server: StackServer): Promise<string>;
  /** Where a server listens, as the runner says. @throws {Error} if it does not */
  port(server: StackServer | BackingServer): number;
  /** The exposition text of the private port. */
  metrics(): Promise<string>;
  /** The process id of a server; another after a restart. @throws {Error} if it does not run */
  pid(server: StackServer): number;
  /** Every process below the runner. */
  processes(): ProcessEntry[];
  /** Ctrl-C in the terminal. */
  stop(): Promise<StackEnd>;
  /** Ends it when it still runs, and removes its data folder. */
  remove(): Promise<void>;
}

interface StackEnd {
  readonly code: number | null;
  /** Processes of the stack that run although it has ended: there must be none. */
  readonly orphans: readonly ProcessEntry[];
}

export interface StackOptions {
  readonly mode?: 'start' | 'dev';
  /** Further arguments of the runner. */
  readonly args?: readonly string[];
  /** The repository. Default: this one. */
  readonly root?: string;
  /** An earlier stack's data folder. Default: a new one. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** @throws {Error} with what the runner said, when the stack does not become ready */
export async function startStack(options: StackOptions = {}): Promise<StackProcess> {
  const { mode = 'start', args = [], root = ROOT, env = {} } = options;
  if (mode === 'start') expectBuilt(root);
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'turnout-stack-')));
  const spoken = new Set<number>();
  // The runner takes no port 0: it promises what it is told.
  const [publicPort, privatePort] = [await freePort(0, spoken), await freePort(0, spoken)];
  const child = spawn(process.execPath, ['scripts/stack/main.ts', mode, ...args], {
    cwd: root,
    env: {
      ...ownEnvironment(),
      TURNOUT_DATA_DIR: dataDir,
      TURNOUT_PORT: String(publicPort),
      TURNOUT_PRIVATE_PORT: String(privatePort),
      ...env,
    },
    // Over the channel the runner notices when we are gone, as it does with the bootstrap.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit');
  let output = '';
  const ready = new Promise<void>((fulfil, reject) => {
    const fail = (what: string) => reject(new Error(`The stack ${what}:\n${output}`));
    const timer = setTimeout(() => {
      child.kill('SIGINT');
      fail(`was not ready within ${READY_WITHIN / 1000} s`);
    }, READY_WITHIN);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (!/^Ready in /m.test(output)) return;
        clearTimeout(timer);
        fulfil();
      });
    }
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended (${code})`);
    });
  });
  try {
    await ready;
  } catch (error) {
    await exited;
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    throw error;
  }

  const runner = child.pid ?? 0;
  const privateUrl = `http://127.0.0.1:${privatePort}`;
  let ended: Promise<StackEnd> | undefined;
  const end = async (): Promise<StackEnd> => {
    const all = descendantsOf(runner);
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN);
    await exited;
    clearTimeout(timer);
    return { code: child.exitCode, orphans: survivorsOf(all) };
  };
  const stop = () => (ended ??= end());
  return {
    url: `http://localhost:${publicPort}`,
    privateUrl,
    dataDir,
    output: () => output,
    log: (server) => readFile(join(dataDir, 'logs', `${server}.log`), 'utf8'),
    port(server) {
      const port = new RegExp(`${server} +:(\\d+)`).exec(output)?.[1];
      if (port === undefined) throw new Error(`Expected a port of ${server} in:\n${output}`);
      return Number(port);
    },
    metrics: async () => (await send(`${privateUrl}/metrics`, {})).text,
    pid(server) {
      const found = descendantsOf(runner).find(
        ({ parent, command }) => parent === runner && SERVERS[server].test(command),
      );
      if (!found) throw new Error(`${server} does not run:\n${output}`);
      return found.pid;
    },
    processes: () => descendantsOf(runner),
    stop,
    async remove() {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** @throws {Error} if `turbo run build` has not been run */
function expectBuilt(root: string): void {
  const missing = [
    'apps/next/.next/BUILD_ID',
    'apps/vue/dist/server',
    'apps/vue/dist/client',
    'packages/client/dist/client.js',
  ].find((built) => !existsSync(join(root, built)));
  if (missing !== undefined)
    throw new Error(
      `Expected ${join(root, missing)}, which the build makes. Run \`npm run build\` first; npm test does so by itself.`,
    );
}

/** Our environment without settings of Turnout, and without what vitest tells its own tests. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(?:TURNOUT_|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DEV$|PROD$|MODE$)/.test(name),
    ),
  );
}
