import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { watchSources } from './source-watch.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'turnout-watch-'));
  mkdirSync(path.join(root, 'src', 'deep'), { recursive: true });
  for (const file of ['turnout.yaml', 'other.yaml']) writeFileSync(path.join(root, file), '');
});

afterEach(() => rmSync(root, { recursive: true }));

/** What the watch tells first after `write`. */
async function firstBatch(write: () => void): Promise<readonly string[]> {
  const told = Promise.withResolvers<readonly string[]>();
  const watch = watchSources(root, ['src', 'turnout.yaml'], async (files) => told.resolve(files));
  onTestFinished(() => watch.close());
  write();
  return told.promise;
}

const put = (file: string): void => writeFileSync(path.join(root, file), 'changed');

test('changes close together are told at once, each file once', async () => {
  const files = await firstBatch(() => {
    put('src/b.ts');
    put('src/deep/a.ts');
    put('src/b.ts');
  });
  expect(files).toEqual(['src/b.ts', 'src/deep/a.ts']);
});

test('tests and files of editors are no sources', async () => {
  const files = await firstBatch(() => {
    for (const file of ['src/a.test.ts', 'src/.a.ts.swp', 'src/a.ts~', 'src/4913', 'other.yaml'])
      put(file);
    put('src/a.ts');
  });
  expect(files).toEqual(['src/a.ts']);
});

test('a watched file may be replaced', async () => {
  const files = await firstBatch(() => {
    put('other.yaml');
    renameSync(path.join(root, 'other.yaml'), path.join(root, 'turnout.yaml'));
  });
  expect(files).toEqual(['turnout.yaml']);
});
