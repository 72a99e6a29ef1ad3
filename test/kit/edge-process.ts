import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

/** The `turnout` command, to be run by Node. */
export const CLI = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** One line of the edge's log. */
type LogLine = Readonly<Record<string, unknown>>;

/** An edge, run as its users run it: `turnout serve` in a process of its own. */
export interface EdgeProcess {
  readonly url: string;
  readonly privateUrl: string;
  readonly pid: number;
  /** The data folder; outlives the process until `remove`. */
  readonly dataDir: string;
  /** Every line logged so far with this message. */
  logged(message: string): LogLine[];
  /** The exposition text of the private port. */
  metrics(): Promise<string>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
  /** Ends it when it still runs, and removes its data folder. */
  remove(): Promise<void>;
}

export interface EdgeProcessOptions {
  /** What `turnout.yaml` holds; ports are chosen by the system unless it names them. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** An earlier edge's data folder. Default: a new one. */
  readonly dataDir?: string;
  readonly workers?: number;
}

/** @throws {Error} with what the process said, when it ends before it serves */
export async function startEdge(options: EdgeProcessOptions): Promise<EdgeProcess> {
  const { config, env = {}, workers = 2 } = options;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'turnout-edge-')));
  const file = join(dataDir, 'turnout.yaml');
  await writeFile(file, stringify({ public: { port: 0 }, private: { port: 0 }, ...config }));
  const child = spawn(process.execPath, [CLI, 'serve', '--config', file], {
    env: { ...cleanEnv(), TURNOUT_WORKERS: String(workers), TURNOUT_DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const stderr: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  const serving = new Promise<LogLine>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      lines.push(text);
      if (text.includes('"msg":"serving"')) resolve(JSON.parse(text));
    });
    void exited.then(([code]) => reject(new Error(`edge ended (${code}): ${stderr.join('')}`)));
  });
  const { publicPort, privatePort } = await serving;
  const privateUrl = `http://127.0.0.1:${String(privatePort)}`;

  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url: `http://127.0.0.1:${String(publicPort)}`,
    privateUrl,
    pid: child.pid ?? 0,
    dataDir,
    logged: (message) =>
      lines
        .filter((text) => text.endsWith(`"msg":"${message}"}`))
        .map((text): LogLine => JSON.parse(text)),
    metrics: async () => (await fetch(`${privateUrl}/metrics`)).text(),
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    async remove() {
      await end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs `turnout` to its end, without a terminal. */
export async function runTurnout(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { cwd, input }: { readonly cwd?: string; readonly input?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...cleanEnv(), ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, stdout, stderr };
}

/** The environment without the settings of whoever runs the tests. */
export function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('TURNOUT_')),
  );
}
