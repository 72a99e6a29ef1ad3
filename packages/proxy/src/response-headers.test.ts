import { array, assert, constantFrom, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { publicLocation, responseHeaders } from './response-headers.ts';

const origins = { upstreamOrigin: 'http://127.0.0.1:4001', publicOrigin: 'https://shop.example' };
const options = { status: 200, ...origins };

/** The values of Set-Cookie, in order. */
function cookies(raw: readonly string[]): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === 'set-cookie');
}

describe('responseHeaders', () => {
  test('keeps order, case, duplicates and every Set-Cookie', () => {
    const raw = [
      'dAtE',
      'x',
      'Set-Cookie',
      'a=1',
      'Vary',
      'A',
      'set-cookie',
      'b=2',
      'Vary',
      'B',
      'Set-Cookie',
      'a=3',
    ];
    expect(responseHeaders(raw, options)).toEqual(raw);
  });

  test('reads Buffers as latin1', () => {
    expect(responseHeaders([Buffer.from('X-Name'), Buffer.from([0x41, 0xe9])], options)).toEqual([
      'X-Name',
      'Aé',
    ]);
  });

  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authentication-Info',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ])('drops the hop-by-hop %s', (name) => {
    expect(
      responseHeaders(['A', '1', name, 'x', name.toLowerCase(), 'y', 'B', '2'], options),
    ).toEqual(['A', '1', 'B', '2']);
  });

  test('drops what Connection nominates, but not what the answer is made of', () => {
    const raw = [
      'X-Hop',
      '1',
      'Set-Cookie',
      'a',
      'Content-Type',
      'b',
      'Connection',
      'x-hop, set-cookie, content-type',
      'x-hop',
      '2',
    ];
    expect(responseHeaders(raw, options)).toEqual(['Set-Cookie', 'a', 'Content-Type', 'b']);
  });

  test('a 204 has no length; a 304 and a HEAD keep theirs', () => {
    expect(responseHeaders(['Content-Length', '5'], { ...options, status: 204 })).toEqual([]);
    expect(responseHeaders(['Content-Length', '5'], { ...options, status: 304 })).toEqual([
      'Content-Length',
      '5',
    ]);
  });

  test('any headers: Set-Cookie always survives whole and in order', () => {
    const header = tuple(
      constantFrom('Set-Cookie', 'set-cookie', 'Connection', 'Vary', '__proto__'),
      constantFrom('a', 'b', 'set-cookie', 'vary, close', ''),
    );
    assert(
      property(array(header), (pairs) => {
        const left = responseHeaders(pairs.flat(), options);
        expect(cookies(left)).toEqual(cookies(pairs.flat()));
        expect(left.filter((_, i) => i % 2 === 0)).not.toContain('Connection');
      }),
      { numRuns: 100 },
    );
  });
});

describe('publicLocation', () => {
  test.each([
    ['http://127.0.0.1:4001', 'https://shop.example'],
    ['http://127.0.0.1:4001/', 'https://shop.example/'],
    [
      'HTTP://127.0.0.1:4001/a?b=http://127.0.0.1:4001/#c',
      'https://shop.example/a?b=http://127.0.0.1:4001/#c',
    ],
    ['http://127.0.0.1:4001?q', 'https://shop.example?q'],
    ['//127.0.0.1:4001/a', 'https://shop.example/a'],
    // Not ours to touch.
    ['/a', '/a'],
    ['a/b', 'a/b'],
    ['', ''],
    ['?q=1', '?q=1'],
    ['https://127.0.0.1:4001/a', 'https://127.0.0.1:4001/a'],
    ['http://127.0.0.1:40012/a', 'http://127.0.0.1:40012/a'],
    ['http://127.0.0.1:4001.example/a', 'http://127.0.0.1:4001.example/a'],
    ['http://127.0.0.1:4001@evil.example/', 'http://127.0.0.1:4001@evil.example/'],
    ['http://127.0.0.1/a', 'http://127.0.0.1/a'],
    ['http://elsewhere.example/', 'http://elsewhere.example/'],
    ['//elsewhere.example/', '//elsewhere.example/'],
    ['http://[', 'http://['],
  ])('%s → %s', (location, expected) => {
    expect(publicLocation(location, origins)).toBe(expected);
  });

  test('knows the default port, spelled out or not', () => {
    const plain = { upstreamOrigin: 'http://next.internal', publicOrigin: 'https://shop.example' };
    expect(publicLocation('http://NEXT.internal:80/a', plain)).toBe('https://shop.example/a');
    expect(publicLocation('http://next.internal/a', plain)).toBe('https://shop.example/a');
    const secure = { ...plain, upstreamOrigin: 'https://next.internal' };
    expect(publicLocation('HTTPS://NEXT.internal:443/a', secure)).toBe('https://shop.example/a');
    expect(publicLocation('https://next.internal', secure)).toBe('https://shop.example');
    expect(publicLocation('//next.internal/a', secure)).toBe('https://shop.example/a');
    expect(publicLocation('https://next.internal:80/a', secure)).toBe('https://next.internal:80/a');
    expect(publicLocation('http://next.internal/a', secure)).toBe('http://next.internal/a');
    expect(publicLocation('https://next.internal/a', plain)).toBe('https://next.internal/a');
    expect(publicLocation('http://next.internal:8080/a', plain)).toBe(
      'http://next.internal:8080/a',
    );
  });
});
