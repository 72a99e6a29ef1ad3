import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cookieSecrets } from './cookie-secrets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('are made once, for the owner alone, and stay', () => {
  const data = join(folder, 'deep', 'data');
  const made = cookieSecrets(data);
  expect(made).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
  expect(cookieSecrets(data)).toEqual(made);
  expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600);
  expect(statSync(data).mode & 0o777).toBe(0o700);
});

test('are the same for all who start at once', async () => {
  const source = `import { cookieSecrets } from ${JSON.stringify(new URL('cookie-secrets.ts', import.meta.url).href)};
    console.log(cookieSecrets(${JSON.stringify(folder)}).join());`;
  const run = promisify(execFile);
  const starts = Array.from({ length: 6 }, () =>
    run(process.execPath, ['--input-type=module-typescript', '--eval', source]),
  );
  const made = (await Promise.all(starts)).map(({ stdout }) => stdout);
  expect(new Set(made).size).toBe(1);
});

test('can be rotated in the file: the first signs, all verify', () => {
  const secrets = ['the-new-secret-0123', 'the-old-secret-0123'];
  const other = { adminToken: 'kept' };
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify({ ...other, cookieSecrets: secrets }));
  expect(cookieSecrets(folder)).toEqual(secrets);
  expect(readFileSync(join(folder, 'secrets.json'), 'utf8')).toContain('kept');
});

test.each(['', '{', '{}', '{"cookieSecrets":[]}', '{"cookieSecrets":["short"]}'])(
  'a damaged file is said, and never replaced: %s',
  (text) => {
    writeFileSync(join(folder, 'secrets.json'), text);
    expect(() => cookieSecrets(folder)).toThrow('secrets.json is damaged');
    expect(readFileSync(join(folder, 'secrets.json'), 'utf8')).toBe(text);
  },
);

test('a folder that can not be written names the setting', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => cookieSecrets(join(folder, 'file', 'data'))).toThrow('TURNOUT_DATA_DIR');
});
