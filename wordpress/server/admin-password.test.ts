import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminPassword } from './admin-password.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'turnout-admin-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a password is made once, readable by its owner only, and kept', () => {
  const first = adminPassword(folder, undefined);
  expect(first.changed).toBe(true);
  expect(first.password).toMatch(/^[\w-]{20}$/);
  expect(statSync(first.file).mode & 0o777).toBe(0o600);
  expect(adminPassword(folder, undefined)).toEqual({ ...first, changed: false });
});

test('a given password replaces the kept one', () => {
  adminPassword(folder, undefined);
  const given = adminPassword(folder, 'correct horse');
  expect(given).toMatchObject({ password: 'correct horse', changed: true });
  expect(JSON.parse(readFileSync(given.file, 'utf8'))).toEqual({
    user: 'admin',
    password: 'correct horse',
  });
  expect(adminPassword(folder, 'correct horse').changed).toBe(false);
});

test.each(['', '{}', '{"password":7}', '{"password":"secret"'])(
  'a file with %j is refused, not overwritten and not quoted',
  (content) => {
    const file = path.join(folder, 'wordpress-admin.json');
    writeFileSync(file, content);
    expect(() => adminPassword(folder, undefined)).toThrow(/Repair it, or delete it/);
    expect(() => adminPassword(folder, undefined)).not.toThrow(/secret/);
    expect(readFileSync(file, 'utf8')).toBe(content);
  },
);
