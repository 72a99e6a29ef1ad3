import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readConfig, type Config } from '@turnout/contracts';
import type { Announcement } from './announce.ts';
import { BenchProcess } from './bench-process.ts';

/** Whoever answers the load. */
export interface Contender {
  readonly name: string;
  readonly url: string;
  readonly process: BenchProcess;
  /** Whether it puts visitors into variants; else it is the page's own server. */
  readonly isProxy: boolean;
  /** Called between rounds: lets go of what earlier ones left on the disk. */
  tidy(): Promise<void>;
}

/** What contenders are started with. */
export interface Surroundings {
  /** The server behind the proxies. */
  readonly origin: string;
  /** A folder of the run's own. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** In the order of the report. */
export const CONTENDERS = ['turnout', 'http-proxy-3', 'direct'] as const;
export type ContenderName = (typeof CONTENDERS)[number];
/** The one that the others are compared with. */
export const REFERENCE: ContenderName = 'http-proxy-3';

const ORIGIN = fileURLToPath(new URL('./origin.ts', import.meta.url));
const HTTP_PROXY = fileURLToPath(new URL('./http-proxy-3.ts', import.meta.url));
const LOAD = fileURLToPath(new URL('./load-process.ts', import.meta.url));
const CLI = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const CONFIG_FILE = fileURLToPath(new URL('../../turnout.yaml', import.meta.url));
const EXIT_WITH_PARENT = fileURLToPath(
  new URL('../../scripts/stack/exit-with-parent.mjs', import.meta.url),
);

/** How often the edge's log is looked at while it starts, in ms. */
const LOOK_EVERY = 25;

type Start = (surroundings: Surroundings, using: AsyncDisposableStack) => Promise<Contender>;

const START: Readonly<Record<ContenderName, Start>> = {
  turnout: startEdge,
  'http-proxy-3': startHttpProxy,
  direct: ({ signal }, using) => startServer('direct', [ORIGIN], false, signal, using),
};

/**
 * @param using ends it in the end
 * @throws {Error} with what the process said, when it ends instead of serving
 */
export function startContender(
  name: ContenderName,
  surroundings: Surroundings,
  using: AsyncDisposableStack,
): Promise<Contender> {
  return START[name](surroundings, using);
}

/** The server behind the proxies. */
export function startOrigin(signal: AbortSignal, using: AsyncDisposableStack): Promise<Contender> {
  return startServer('origin', [ORIGIN], false, signal, using);
}

/** The process that makes the load. */
export function startLoad(signal: AbortSignal, using: AsyncDisposableStack): BenchProcess {
  return start({ name: 'load', args: [LOAD], signal }, using);
}

/**
 * The experiment of the demo, which is what visitors of every contender are part of.
 *
 * @throws {Error} when the demo has none
 */
export function demoExperiment(
  config: Config = demoConfig(),
): NonNullable<Config['experiments']>[number] {
  const [experiment] = config.experiments ?? [];
  if (experiment === undefined) throw new Error(`Expected an experiment in ${CONFIG_FILE}`);
  return experiment;
}

/**
 * The edge as its users run it, with the demo's configuration: embedded ledger, metrics, and
 * the access log written to a file. One worker, because the others have one process.
 */
async function startEdge(
  { origin, folder, signal }: Surroundings,
  using: AsyncDisposableStack,
): Promise<Contender> {
  const logFile = join(folder, 'access.log');
  const upstreams = Object.keys(demoConfig().upstreams).map((name) => [
    `TURNOUT_${name.toUpperCase().replaceAll('-', '_')}_URL`,
    origin,
  ]);
  const log = openSync(logFile, 'a');
  const edge = start(
    {
      name: 'turnout',
      args: ['--import', EXIT_WITH_PARENT, CLI, 'serve', '--config', CONFIG_FILE],
      env: {
        ...withoutSettings(process.env),
        ...Object.fromEntries(upstreams),
        TURNOUT_SUPERVISOR_PID: String(process.pid),
        TURNOUT_PORT: '0',
        TURNOUT_PRIVATE_PORT: '0',
        TURNOUT_WORKERS: '1',
        TURNOUT_DATA_DIR: folder,
      },
      stdout: log,
      signal,
    },
    using,
  );
  closeSync(log);
  const port = await Promise.race([servingPort(logFile, signal), edge.died]);
  return {
    name: 'turnout',
    url: loopback(port),
    process: edge,
    isProxy: true,
    // The edge appends, so it goes on at the beginning.
    tidy: () => truncate(logFile),
  };
}

/** The public port, once the edge has logged it. */
async function servingPort(logFile: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const lines = (await readFile(logFile, 'utf8')).split('\n').slice(0, -1);
    const serving = lines
      .map((line): { msg?: string; publicPort?: number } => JSON.parse(line))
      .find(({ msg }) => msg === 'serving');
    if (serving?.publicPort !== undefined) return serving.publicPort;
    await delay(LOOK_EVERY, undefined, { signal });
  }
}

function startHttpProxy(
  { origin, signal }: Surroundings,
  using: AsyncDisposableStack,
): Promise<Contender> {
  const { key, variants } = demoExperiment();
  const shares = JSON.stringify(
    variants.map((variant) => ({ key: variant.key, weight: variant.weight })),
  );
  const args = [HTTP_PROXY, origin, key, shares];
  return startServer('http-proxy-3', args, true, signal, using);
}

async function startServer(
  name: string,
  args: readonly string[],
  isProxy: boolean,
  signal: AbortSignal,
  using: AsyncDisposableStack,
): Promise<Contender> {
  const server = start({ name, args, signal }, using);
  const { port } = await server.hear<Announcement>();
  return { name, url: loopback(port), process: server, isProxy, tidy: async () => {} };
}

function start(
  options: ConstructorParameters<typeof BenchProcess>[0],
  using: AsyncDisposableStack,
): BenchProcess {
  return using.adopt(new BenchProcess(options), (running) => running.stop());
}

function demoConfig(): Config {
  return readConfig(readFileSync(CONFIG_FILE, 'utf8'), CONFIG_FILE);
}

/** The environment without the settings of whoever runs the benchmark. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TURNOUT_')));
}

function loopback(port: number): string {
  return `http://127.0.0.1:${port}`;
}
