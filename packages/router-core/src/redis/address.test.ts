import { describe, expect, test } from 'vitest';
import { parseAddress } from './address.ts';

const NOBODY = { username: '', password: '', tls: false };

test('one server is its URL', () => {
  expect(parseAddress('redis://me:secret@redis.example:6380/3')).toEqual({
    kind: 'server',
    url: 'redis://me:secret@redis.example:6380/3',
  });
  expect(parseAddress('rediss://redis.example')).toMatchObject({ kind: 'server' });
});

describe('a Cluster', () => {
  test('is several nodes, with the scheme before the first or all', () => {
    const nodes = [
      { host: 'a', port: 7000 },
      { host: '::1', port: 6379 },
    ];
    const expected = { kind: 'cluster', nodes, login: NOBODY };
    expect(parseAddress('redis://a:7000,[::1]')).toEqual(expected);
    expect(parseAddress('redis+cluster://a:7000, redis://[::1]:6379')).toEqual(expected);
  });

  test('is one node whose scheme says so', () => {
    expect(parseAddress('rediss+cluster://me:p%40ss@a')).toEqual({
      kind: 'cluster',
      nodes: [{ host: 'a', port: 6379 }],
      login: { username: 'me', password: 'p@ss', tls: true },
    });
  });
});

describe('Sentinels', () => {
  test('are asked for a name, at their own default port', () => {
    expect(parseAddress('redis+sentinel://a:26380,b,[::1]/ledger')).toEqual({
      kind: 'sentinel',
      nodes: [
        { host: 'a', port: 26_380 },
        { host: 'b', port: 26_379 },
        { host: '::1', port: 26_379 },
      ],
      login: NOBODY,
      primary: 'ledger',
      database: 0,
    });
  });

  test('may stand behind a login and before a database', () => {
    expect(parseAddress('rediss+sentinel://me:secret@a:1,b:2/ledger/4')).toMatchObject({
      login: { username: 'me', password: 'secret', tls: true },
      primary: 'ledger',
      database: 4,
    });
    expect(parseAddress('redis+sentinel://:secret@a/ledger')).toMatchObject({
      login: { username: '', password: 'secret', tls: false },
    });
  });
});

test.each([
  '',
  'redis://',
  'http://127.0.0.1:6379',
  'redis://a:b:c',
  'redis://127.0.0.1:1,,',
  'redis+sentinel://a:26379',
  'redis+sentinel://a:26379/',
  'redis+sentinel://a:26379/ledger/first',
  'redis+sentinel://a:26379/ledger/1/2',
  'redis+sentinel:///ledger',
  'redis+sentinel://a,,b/ledger',
  'redis+master://a',
])('"%s" is refused', (address) => {
  expect(() => parseAddress(address)).toThrow(/^Expected redis:\/\/HOST:PORT, .*, got "/);
});

test('a password is not shown', () => {
  for (const scheme of ['http', 'redis+sentinel', 'redis+cluster']) {
    const address = `${scheme}://me:hunter2@host:no-port`;
    expect(() => parseAddress(address)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  }
});
