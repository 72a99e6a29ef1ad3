import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONTENDERS } from './contenders.ts';
import type { Report } from './report.ts';

// The runner itself, with the real contenders. What the figures are is no matter here.

const RUN = fileURLToPath(new URL('run.ts', import.meta.url));
const PATIENCE = 180_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnout-bench-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts the runner with `folder` as its place for temporary files. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [RUN, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return { child, output, closed: once(child, 'close') };
}

/** The processes that `pid` started, and that those started. */
async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    rows.flatMap(([child = 0, of]) => (of === parent ? [child, ...below(child)] : []));
  return below(pid);
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test(
  'measures every contender in every scenario, and leaves nothing behind',
  async () => {
    const json = join(folder, 'figures.json');
    const run = start('--rounds', '1', '--duration', '1', '--connections', '8', '--json', json);
    const [code] = await run.closed;
    expect({ code, stderr: run.output.stderr }).toMatchObject({ code: 0 });

    const report: Report = JSON.parse(await readFile(json, 'utf8'));
    expect(report.machine).toMatchObject({ node: process.version });
    expect(report.machine.cores).toBeGreaterThan(0);
    expect(Date.parse(report.machine.date)).toBeLessThanOrEqual(Date.now());
    expect(report.settings).toMatchObject({ rounds: 1, duration: 1, connections: 8 });
    expect(report.scenarios.map(({ scenario }) => scenario)).toEqual(['returning', 'first']);
    for (const { contenders } of report.scenarios) {
      expect(contenders.map(({ contender }) => contender)).toEqual(CONTENDERS);
      for (const { samples, median, ratio } of contenders) {
        expect(samples).toHaveLength(1);
        for (const figure of Object.values(median)) expect(figure).toBeGreaterThan(0);
        expect(median).toEqual(samples[0]);
        expect(median.p99).toBeGreaterThanOrEqual(median.p50);
        expect(ratio?.cpu.median).toBeGreaterThan(0);
      }
    }
    for (const name of CONTENDERS) expect(run.output.stdout).toContain(`\n${name} `);
    expect(await readdir(folder)).toEqual(['figures.json']);
  },
  PATIENCE,
);

test(
  'ends everything it started when it is interrupted',
  async () => {
    const run = start('--rounds', '1000', '--duration', '1', '--scenario', 'returning');
    await new Promise<void>((resolve, reject) => {
      void run.closed.then(() => reject(new Error(run.output.stderr)));
      run.child.stderr.on('data', () => {
        if (run.output.stderr.includes('round 1 of')) resolve();
      });
    });
    // The edge and its worker, http-proxy-3, the page's server, the load and the origin.
    const started = await descendants(run.child.pid ?? 0);
    expect(started).toHaveLength(6);
    run.child.kill('SIGINT');
    const [code] = await run.closed;
    expect(code).toBe(130);
    expect(started.filter(runs)).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  },
  PATIENCE,
);

test('a command line that it does not understand is an error with the way out', async () => {
  const run = start('--fast');
  const [code] = await run.closed;
  expect(code).toBe(2);
  expect(run.output.stderr).toContain("Unknown option '--fast'");
  expect(run.output.stderr).toContain('--help');
});

test('a folder that is not there is found before the measuring', async () => {
  const run = start('--json', join(folder, 'missing', 'figures.json'));
  const [code] = await run.closed;
  expect(code).toBe(2);
  expect(run.output.stderr).toContain('Expected --json to name a file in a writable folder');
});
