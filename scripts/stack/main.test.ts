// The whole program, with the edge as its one server: the upstreams run elsewhere, as
// far as it knows.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePort, isFree } from './ports.ts';
import { urlVariable, upstreamNames } from './settings.ts';

let data: string;
let ports: { public: number; private: number };

beforeEach(async () => {
  data = mkdtempSync(path.join(os.tmpdir(), 'turnout-stack-'));
  const spoken = new Set<number>();
  ports = { public: await freePort(0, spoken), private: await freePort(0, spoken) };
});

afterEach(() => rmSync(data, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
}

function start(env: Record<string, string> = {}, args: string[] = []): Run {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'main.ts'), 'start', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        TURNOUT_DATA_DIR: data,
        TURNOUT_PORT: String(ports.public),
        TURNOUT_PRIVATE_PORT: String(ports.private),
        TURNOUT_WORKERS: '1',
        ...Object.fromEntries(
          upstreamNames.map((name) => [urlVariable(name), 'http://127.0.0.1:9']),
        ),
        ...env,
      },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'close').then(() => child.exitCode);
  return { child, ended, output: () => output };
}

async function untilReady(run: Run): Promise<void> {
  while (!run.output().includes('Ctrl-C stops it all')) {
    if (run.child.exitCode !== null) throw new Error(run.output());
    await sleep(50);
  }
}

test('says where everything is, and on Ctrl-C stops it and ends well', async () => {
  const run = start();
  await untilReady(run);
  expect((await fetch(`http://127.0.0.1:${ports.private}/readyz`)).status).toBe(200);
  for (const part of [
    `http://localhost:${ports.public}/`,
    `http://localhost:${ports.public}/next/`,
    `http://localhost:${ports.public}/vue/`,
    `http://localhost:${ports.public}/wordpress/`,
    `http://127.0.0.1:${ports.private}/metrics`,
    path.join(data, 'logs'),
  ])
    expect(run.output()).toContain(part);
  run.child.kill('SIGINT');
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/Stopping …\nStopped\.\n$/);
  expect(await isFree(ports.public)).toBe(true);
});

test('a second one on the same data folder is refused', async () => {
  const first = start();
  await untilReady(first);
  const second = start({ TURNOUT_PORT: '1', TURNOUT_PRIVATE_PORT: '2' });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`Another Turnout (process ${first.child.pid}) runs on`);
});

test('killed outright it leaves the port free, and the next start works', async () => {
  const run = start();
  await untilReady(run);
  const secrets = readFileSync(path.join(data, 'secrets.json'), 'utf8');
  run.child.kill('SIGKILL');
  await run.ended;
  await untilReady(start());
  expect(readFileSync(path.join(data, 'secrets.json'), 'utf8')).toBe(secrets);
});

test.each([
  ['public', 'TURNOUT_PORT'],
  ['private', 'TURNOUT_PRIVATE_PORT'],
] as const)('a taken %s port is named with the setting that moves it', async (which, variable) => {
  const holder = net.createServer().listen(ports[which], '127.0.0.1');
  onTestFinished(() => void holder.close());
  await once(holder, 'listening');
  const run = start();
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(
    new RegExp(`^Error: The ${which} port ${ports[which]} is taken.*${variable}=`),
  );
});

test('an edge that cannot start is reported with its last lines', async () => {
  // A folder where its database should be.
  mkdirSync(path.join(data, 'ledger.sqlite'));
  const run = start();
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(
    /^Error: edge ended before it was ready \(exit code 1\)\. Its last lines:\n.*ledger\.sqlite/ms,
  );
  expect(run.output()).toContain(`All of it: ${path.join(data, 'logs', 'edge.log')}`);
});

test('a wrong setting is refused before anything starts', async () => {
  const run = start({ TURNOUT_NEXT_URL: 'not a url' });
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/TURNOUT_NEXT_URL/);
  expect(run.output()).not.toContain('edge');
});
