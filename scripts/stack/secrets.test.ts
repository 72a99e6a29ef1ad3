import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptSecrets } from './secrets.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'turnout-secrets-'));
  file = path.join(folder, 'secrets.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

test('are made once, of 256 random bits each, for their owner alone', () => {
  const made = keptSecrets(folder, randomBytes);
  expect(keptSecrets(folder, randomBytes)).toEqual(made);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const each = [...made.cookieSecrets, made.adminToken, made.databasePassword];
  for (const secret of each) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(new Set(each).size).toBe(3);
});

test('those that are there are kept, those that are missing are added', () => {
  writeFileSync(file, JSON.stringify({ cookieSecrets: ['made-by-the-edge-alone'] }));
  const secrets = keptSecrets(folder, randomBytes);
  expect(secrets.cookieSecrets).toEqual(['made-by-the-edge-alone']);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(secrets);
});

test.each([
  ['{"cookieSecrets": ["cut off', /secrets\.json is not JSON\. Restore it/],
  ['{"cookieSecrets": []}', /secrets\.json is damaged: expected/],
  ['{"adminToken": "short"}', /secrets\.json is damaged: expected/],
  ['null', /secrets\.json is damaged: expected/],
])('a damaged file is refused and left alone: %s', (text, message) => {
  writeFileSync(file, text);
  expect(() => keptSecrets(folder, randomBytes)).toThrow(message);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
