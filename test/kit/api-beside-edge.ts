import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EdgeProcess } from './edge-process.ts';

const MAIN = fileURLToPath(new URL('../../apps/api/src/main.ts', import.meta.url));
const TOKEN = 'a-token-for-tests-only';

/** The API of an edge: on its data folder, so that the edge follows what it publishes. */
export interface ApiBesideEdge {
  /** The answer's body. @throws {Error} for any status but 2xx */
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
  /** SIGKILL: it has no chance to tidy up. */
  kill(): Promise<void>;
}

/** @throws {Error} with what the process said, when it ends before it listens */
export async function startApiBeside(
  edge: Pick<EdgeProcess, 'dataDir' | 'privateUrl'>,
  env: Readonly<Record<string, string>>,
): Promise<ApiBesideEdge> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      TURNOUT_DATA_DIR: edge.dataDir,
      TURNOUT_CONFIG: join(edge.dataDir, 'turnout.yaml'),
      TURNOUT_EDGES: edge.privateUrl,
      TURNOUT_ADMIN_TOKEN: TOKEN,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      const { url: listening }: { url?: string } = JSON.parse(line);
      if (listening !== undefined) resolve(listening);
    });
    void exited.then(([code]) => reject(new Error(`API ended (${code}): ${said.join('\n')}`)));
  });
  return {
    async ask(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}
