import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, onTestFinished } from 'vitest';

/** The API as a process of its own, as it runs in production. */
export interface ApiProcess {
  /** Resolves with the base URL once it listens; rejects with the log when it ends before. */
  readonly url: Promise<string>;
  /** Resolves with exit code, signal, and the messages of all log lines. */
  readonly ended: Promise<{ code: number | null; signal: string | null; messages: string[] }>;
  /** All log lines so far, as they were written. */
  readonly lines: readonly string[];
  /** Resolves when a log line's message matches. */
  logged(pattern: RegExp): Promise<void>;
  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface ApiProcessOptions {
  /** Runs it as another user. */
  readonly uid?: number;
  /** What ends it: the end of the test, unless `endOfSuite()` is given. */
  readonly until?: (end: () => Promise<void>) => void;
}

/**
 * The end of the suite that calls this while it is defined. (`afterAll` does nothing once the
 * suite runs, as in its `beforeAll`.)
 */
export function endOfSuite(): NonNullable<ApiProcessOptions['until']> {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => {
    await Promise.all(ends.map((end) => end()));
  });
  return (end) => void ends.push(end);
}

/** Starts the API on a free port. Without TURNOUT_DATA_DIR it gets a folder of its own. */
export function startApi(
  environment: Readonly<Record<string, string | undefined>>,
  { uid, until = onTestFinished }: ApiProcessOptions = {},
): ApiProcess {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-api-'));
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], PORT: '0', TURNOUT_DATA_DIR: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const messages: string[] = [];
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const url = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<Awaited<ApiProcess['ended']>>();
  // Most tests look at one of the two only.
  url.promise.catch(() => undefined);

  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null) throw new Error(`Not a log line: ${line}`);
    messages.push('msg' in entry ? String(entry.msg) : '');
    if ('url' in entry && typeof entry.url === 'string') url.resolve(entry.url);
    for (const listener of listeners) listener();
  });
  createInterface({ input: child.stderr }).on('line', (line) => messages.push(line));
  child.once('error', ended.reject);
  child.once('close', (code, signal) => {
    url.reject(new Error(`The API ended with ${signal ?? code}:\n${messages.join('\n')}`));
    ended.resolve({ code, signal, messages });
  });
  until(async () => {
    child.kill('SIGKILL');
    await ended.promise;
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    url: url.promise,
    ended: ended.promise,
    lines,
    logged: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          if (!messages.some((message) => pattern.test(message))) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
    kill: (signal) => void child.kill(signal),
  };
}
