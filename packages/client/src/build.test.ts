import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildClient } from '../build.ts';

/** Bytes, compressed: the script stands on every page of a site. */
const SCRIPT_MAX = 1_024;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnout-client-'));
  await buildClient(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test(`the script is at most ${SCRIPT_MAX} bytes compressed`, async () => {
  const script = await readFile(join(folder, 'client.js'));
  expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(SCRIPT_MAX);
});

test('the script is a classic one: it needs no module around it', async () => {
  const source = await readFile(join(folder, 'client.js'), 'utf8');
  expect(() => new Script(source)).not.toThrow();
});

test('the module can be imported on a server, and does nothing there', async () => {
  const { turnout } = await import(pathToFileURL(join(folder, 'index.js')).href);
  expect(Object.keys(turnout).toSorted()).toEqual(['convert', 'expect', 'settle']);
  expect(turnout.convert('signup')).toBeUndefined();
});
