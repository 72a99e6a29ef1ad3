import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { cleanEnv } from './edge-process.ts';

const MAIN = fileURLToPath(new URL('../../apps/api/src/main.ts', import.meta.url));

/** The API with its embedded stores, in a folder with a turnout.yaml, as operators run it. */
export interface ApiProcess {
  readonly url: string;
  readonly pid: number;
  /** Holds `turnout.yaml`, and `.turnout` with the secrets; outlives the process until `remove`. */
  readonly folder: string;
  readonly adminToken: string;
  /** Ends it as a crash would, and keeps its folder. */
  kill(): Promise<void>;
  /** Ends it when it still runs, and removes its folder. */
  remove(): Promise<void>;
}

/**
 * @param config what `turnout.yaml` holds
 * @param earlier an API that was killed, whose folder it goes on with
 * @throws {Error} with what the process said, when it ends before it listens
 */
export async function startApi(
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
  earlier?: ApiProcess,
): Promise<ApiProcess> {
  const folder = earlier?.folder ?? (await mkdtemp(join(tmpdir(), 'turnout-api-')));
  const adminToken = earlier?.adminToken ?? randomBytes(16).toString('base64url');
  const file = join(folder, 'turnout.yaml');
  await writeFile(file, stringify(config));
  if (earlier === undefined) {
    const cookieSecrets = [randomBytes(16).toString('base64url')];
    await mkdir(join(folder, '.turnout'));
    await writeFile(
      join(folder, '.turnout', 'secrets.json'),
      JSON.stringify({ adminToken, cookieSecrets }),
    );
  }
  const child = spawn(process.execPath, [MAIN], {
    env: { ...cleanEnv(), PORT: '0', TURNOUT_CONFIG: file, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      lines.push(text);
      const entry: { url?: unknown } = JSON.parse(text);
      if (typeof entry.url === 'string') resolve(entry.url);
    });
    void exited.then(([code]) => reject(new Error(`API ended (${code}): ${lines.join('\n')}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    folder,
    adminToken,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async remove() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
