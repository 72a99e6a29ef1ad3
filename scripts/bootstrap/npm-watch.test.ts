import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';

const watched = path.join(import.meta.dirname, 'fixtures', 'watched.mjs');

test.each([
  ['by npm itself', `spawn(process.execPath, [${JSON.stringify(watched)}], { stdio: 'inherit' })`],
  [
    'through a shell',
    // `; true` keeps the shell from becoming the program.
    `spawn('/bin/sh', ['-c', '"$0" "$1"; true', process.execPath, ${JSON.stringify(watched)}], { stdio: 'inherit' })`,
  ],
])('a killed npm is noticed: run %s', async (_, run) => {
  const npm = spawn(
    process.execPath,
    ['-e', `const { spawn } = require('node:child_process'); ${run}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, npm_lifecycle_event: 'start' },
    },
  );
  onTestFinished(() => void npm.kill('SIGKILL'));
  const said: string[] = [];
  npm.stdout.on('data', (data) => said.push(String(data)));
  await once(npm.stdout, 'data');
  npm.kill('SIGKILL');
  // The pipe closes when the watched program has ended.
  await once(npm.stdout, 'close');
  expect(said.join('')).toBe('watching\ngone\n');
});
