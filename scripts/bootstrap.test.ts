import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';

let parent: string;
/** A bare checkout: nothing fetched, installed or built; with a space in its path. */
let checkout: string;

beforeEach(() => {
  parent = mkdtempSync(path.join(os.tmpdir(), 'turnout-bootstrap-'));
  checkout = path.join(parent, 'a checkout');
  const root = path.resolve(import.meta.dirname, '..');
  for (const file of ['scripts', 'package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    cpSync(path.join(root, file), path.join(checkout, file), { recursive: true });
});

afterEach(() => rmSync(parent, { recursive: true }));

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

async function bootstrap(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const { npm_execpath: _npm, CI: _ci, ...rest } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['scripts/bootstrap.mjs', ...args],
      { cwd: checkout, env: { ...rest, ...env } },
      (error, stdout, stderr) => resolve({ stdout, stderr, code: Number(error?.code ?? 0) }),
    );
  });
}

test('--help installs nothing', async () => {
  const { stdout, code } = await bootstrap(['start', '--help']);
  expect(stdout).toContain('npm start -- [options]');
  expect(code).toBe(0);
  expect(existsSync(path.join(checkout, '.turnout'))).toBe(false);
});

test('a mistyped flag is refused before anything is installed', async () => {
  const { stderr, code } = await bootstrap(['start', '--servics']);
  expect(stderr).toBe('Error: Unknown option --servics. Did you mean --services?\n');
  expect(code).toBe(2);
  expect(existsSync(path.join(checkout, '.turnout'))).toBe(false);
});

test('without a registry it says what was to be fetched, and where the log is', async () => {
  const { stdout, stderr, code } = await bootstrap(['test'], {
    npm_config_registry: 'http://127.0.0.1:9',
    npm_config_fetch_retries: '0',
    npm_config_cache: path.join(parent, 'cache'),
  });
  expect(stderr).toMatch(/^Error: Fetching pnpm from npm failed\.\n.*ECONNREFUSED/);
  expect(stderr).toContain('The npm registry could not be reached.');
  expect(stderr).toContain(path.join(checkout, '.turnout', 'logs', 'toolchain.log'));
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
  expect(code).toBe(1);
});
