import {
  array,
  assert,
  constantFrom,
  oneof,
  property,
  string,
  stringMatching,
  tuple,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestHeaders } from './request-headers.ts';

const client = { address: '203.0.113.7', host: 'shop.example', proto: 'http' } as const;
const ours = [
  'X-Forwarded-For',
  '203.0.113.7',
  'X-Forwarded-Host',
  'shop.example',
  'X-Forwarded-Proto',
  'http',
  'Forwarded',
  'for=203.0.113.7;host=shop.example;proto=http',
];

/** What is left of the client's own headers. */
function kept(rawHeaders: string[], drop?: (name: string) => boolean): string[] {
  const headers = requestHeaders(rawHeaders, { client, ...(drop && { drop }) });
  expect(headers.slice(-ours.length)).toEqual(ours);
  return headers.slice(0, -ours.length);
}

describe('requestHeaders', () => {
  test('keeps order, case and duplicates', () => {
    const raw = [
      'hOsT',
      'a',
      'X-Twice',
      '1',
      'Accept',
      '*/*',
      'x-twice',
      '2',
      'Cookie',
      'a=1',
      'Cookie',
      'b',
    ];
    expect(kept(raw)).toEqual(raw);
  });

  test.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic eA=='],
    ['Proxy-Anything', 'x'],
    ['Proxy', 'http://evil.example'],
    ['TE', 'gzip'],
    ['Trailer', 'Expires'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'h2c'],
    ['Expect', '100-continue'],
  ])('drops the hop-by-hop %s', (name, value) => {
    expect(kept(['A', '1', name, value, name.toUpperCase(), value, 'B', '2'])).toEqual([
      'A',
      '1',
      'B',
      '2',
    ]);
  });

  test.each([
    ['X-Forwarded-For', '1.1.1.1'],
    ['X-Forwarded-Host', 'evil.example'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Prefix', '/x'],
    ['X-Forwarded', 'x'],
    ['Forwarded', 'for=1.1.1.1'],
    ['X-Real-IP', '1.1.1.1'],
    // PHP and CGI read these as the ones above.
    ['X_Forwarded_For', '1.1.1.1'],
    ['x-forwarded_proto', 'https'],
    ['X_Real_Ip', '1.1.1.1'],
  ])("does not believe the client's %s", (name, value) => {
    expect(kept([name, value])).toEqual([]);
  });

  test('keeps readiness for trailers, and only that, of TE', () => {
    expect(kept(['TE', 'gzip;q=0.5, Trailers'])).toEqual(['TE', 'trailers']);
    expect(kept(['TE', 'x-trailers'])).toEqual([]);
  });

  test('drops what Connection nominates, wherever it stands', () => {
    expect(
      kept([
        'X-Hop',
        '1',
        'Connection',
        'close, X-HOP',
        'x-hop',
        '2',
        'connection',
        'other',
        'Other',
        '3',
      ]),
    ).toEqual([]);
  });

  test('a nomination strips neither what we set nor what frames or identifies the request', () => {
    const raw = [
      'Host',
      'a',
      'Cookie',
      'c',
      'Authorization',
      'd',
      'Content-Length',
      '3',
      'Content-Type',
      'text/plain',
    ];
    const headers = requestHeaders(
      [
        ...raw,
        'Connection',
        'host, cookie, authorization, content-length, content-type, x-forwarded-for, forwarded, x-request-id',
      ],
      { client, append: ['X-Request-Id', '1'] },
    );
    expect(headers).toEqual([...raw, ...ours, 'X-Request-Id', '1']);
  });

  test('drops what the caller names, by its lower-case name with dashes', () => {
    expect(
      kept(['X-Turnout-Visitor', '1', 'x_turnout_visitor', '2', 'X-Other_One', '3'], (name) =>
        name.startsWith('x-turnout-'),
      ),
    ).toEqual(['X-Other_One', '3']);
  });

  test('Content-Length yields to Transfer-Encoding (RFC 9112 section 6.1)', () => {
    expect(kept(['Content-Length', '5', 'Transfer-Encoding', 'chunked'])).toEqual([]);
    expect(kept(['Content-Length', '5'])).toEqual(['Content-Length', '5']);
  });

  test('without a Host there is no host to forward', () => {
    expect(
      requestHeaders([], {
        client: { address: '::ffff:10.0.0.1', host: undefined, proto: 'https' },
      }),
    ).toEqual([
      'X-Forwarded-For',
      '10.0.0.1',
      'X-Forwarded-Proto',
      'https',
      'Forwarded',
      'for=10.0.0.1;proto=https',
    ]);
  });

  test('any headers: what is left is a subsequence, nothing hop-by-hop, ours at the end', () => {
    const name = oneof(
      stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,24}$/),
      constantFrom(
        'Connection',
        'TE',
        'te',
        'Upgrade',
        'Forwarded',
        '__proto__',
        'Constructor',
        'host',
        'X-Forwarded-For',
      ),
    );
    const value = oneof(
      string({ maxLength: 20 }),
      name,
      array(name, { maxLength: 4 }).map((names) => names.join(',')),
    );
    const header = tuple(name, value);
    assert(
      property(array(header, { maxLength: 30 }), (pairs) => {
        const left = kept(pairs.flat());
        let from = 0;
        for (let i = 0; i < left.length; i += 2) {
          const key = left[i]?.toLowerCase();
          const at = pairs.findIndex(
            (pair, index) =>
              index >= from && pair[0] === left[i] && (pair[1] === left[i + 1] || key === 'te'),
          );
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + 1;
          expect(key).not.toMatch(
            /^(connection|upgrade|keep-alive|trailer|transfer-encoding|proxy.*|forwarded|x-forwarded.*)$/,
          );
        }
        // Nothing is lost that no rule names.
        const nominated = new Set(
          pairs
            .filter(([key]) => key.toLowerCase() === 'connection')
            .flatMap(([, list]) => list.split(',').map((item) => item.trim().toLowerCase())),
        );
        const survivors = pairs.filter(
          ([key]) =>
            /^(a|b|host)$/i.test(key) && (!nominated.has(key.toLowerCase()) || /^host$/i.test(key)),
        );
        for (const [key, text] of survivors) {
          expect(
            left.some((item, index) => index % 2 === 0 && item === key && left[index + 1] === text),
          ).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
