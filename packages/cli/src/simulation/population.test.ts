import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestOfLine, requestsOf } from './population.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-population-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = (more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    msg: 'request',
    method: 'GET',
    host: 'Shop.example:8080',
    path: '/plans/../Plans/1',
    visitor: '0123456789abcdef',
    ...more,
  });

describe('a line of the access log', () => {
  test('is a request of a stand-in for its visitor', () => {
    const read = requestOfLine(line());
    expect(read?.visitor).toMatch(/^[\w-]{22}$/);
    expect(read?.request).toMatchObject({ host: 'shop.example', path: '/Plans/1', method: 'GET' });
    expect(requestOfLine(line({ path: '/' }))?.visitor).toBe(read?.visitor);
    expect(requestOfLine(line({ visitor: 'f' }))?.visitor).not.toBe(read?.visitor);
  });

  test.each([
    ['another message', line({ msg: 'serving' })],
    ['a request of nobody', line({ visitor: undefined })],
    ['no JSON', 'turnout: serving'],
    ['no object', '12'],
    ['nothing', ''],
  ])('%s tells of none', (_, text) => {
    expect(requestOfLine(text)).toBeUndefined();
  });
});

test('a log of any size is read line by line, whatever falls on the end of a chunk', () => {
  const file = join(folder, 'edge.log');
  const paths = Array.from({ length: 2_000 }, (_, n) => `/é${'x'.repeat(n % 97)}/${n}`);
  writeFileSync(file, paths.map((path) => line({ path })).join('\n'));
  const read = [...requestsOf({ kind: 'access-log', file })].map(({ request }) => request?.path);
  expect(read.map((path) => path?.split('/').at(-1))).toEqual(paths.map((_, n) => String(n)));
});

const drawn = (seed: string) => [...requestsOf({ kind: 'drawn', visitors: 50, seed })];

test('made-up visitors are the same for the same seed', () => {
  expect(drawn('1')).toEqual(drawn('1'));
  expect(drawn('1')).not.toEqual(drawn('2'));
  expect(new Set(drawn('1').map(({ visitor }) => visitor)).size).toBe(50);
});
