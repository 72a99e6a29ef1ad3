import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openDataFolder } from './data-folder.ts';

let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(path.join(os.tmpdir(), 'turnout-data-'));
  folder = path.join(parent, 'data');
});

afterEach(() => rmSync(parent, { recursive: true }));

const holder = path.join(import.meta.dirname, 'fixtures', 'hold-folder.mjs');

/** Another process that takes the folder; resolves with what it said. */
async function held(
  options: { uid?: number } = {},
): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [holder, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data) => (said += String(data)));
  child.stderr.on('data', (data) => (said += String(data)));
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  return { child, said };
}

test('is made for its owner alone', () => {
  const opened = openDataFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(opened.logs).toBe(path.join(folder, 'logs'));
  expect(opened.leftBehind).toBe(false);
  opened.release();
});

test('is used by one stack at a time, and the other is named', async () => {
  const { child } = await held();
  expect(() => openDataFolder(folder)).toThrow(
    `Another Turnout (process ${child.pid}) runs on the data folder ${folder}.`,
  );
});

test('is free again after a release', () => {
  openDataFolder(folder).release();
  const again = openDataFolder(folder);
  expect(again.leftBehind).toBe(false);
  again.release();
});

test('is free again after its user was killed, and that is told', async () => {
  const { child } = await held();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const opened = openDataFolder(folder);
  expect(opened.leftBehind).toBe(true);
  opened.release();
});

test('a file in its place is refused with what to do', () => {
  writeFileSync(folder, '');
  expect(() => openDataFolder(folder)).toThrow(
    /^Cannot write to the data folder .*(?:EEXIST|ENOTDIR).*TURNOUT_DATA_DIR=/,
  );
});

test('a read-only one is refused with what to do', async () => {
  // To root nothing is read-only, so another user is sent.
  const nobody = 65_534;
  const isRoot = process.getuid?.() === 0;
  openDataFolder(folder).release();
  chmodSync(parent, 0o755);
  if (isRoot)
    for (const file of [folder, path.join(folder, 'logs')]) chownSync(file, nobody, nobody);
  chmodSync(folder, 0o500);
  const { said } = await held(isRoot ? { uid: nobody } : {});
  chmodSync(folder, 0o700);
  expect(said).toMatch(/Cannot write to the data folder .*EACCES.*TURNOUT_DATA_DIR=/);
});
