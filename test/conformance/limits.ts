import { get, passed, refused, type Case } from './case.ts';

function fields(count: number): string {
  return Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
}

/** Sizes of heads: RFC 9112 section 3, RFC 6585 section 5. */
export const limits: readonly Case[] = [
  passed('a head of 100 fields', '9110 5.4', get(fields(99)), { has: { 'x-98': '1' } }),
  passed('a head of 200 fields', '9110 5.4', get(fields(199)), { has: { 'x-198': '1' } }),
  refused('a head of 201 fields', '6585 5', get(fields(200)), 431),
  refused('a head of 3,000 fields', '6585 5', get(fields(3_000)), 431),
  passed('a field of 16 KB', '9110 5.4', get(`X-A: ${'a'.repeat(16_000)}\r\n`), {
    has: { 'x-a': 'a'.repeat(16_000) },
  }),
  refused('a field of 33 KB', '6585 5', get(`X-A: ${'a'.repeat(33_000)}\r\n`), 431),
  refused('a field name of 33 KB', '6585 5', get(`X-${'a'.repeat(33_000)}: 1\r\n`), 431),
  refused(
    'a head of 40 KB in fields of 4 KB',
    '6585 5',
    get(`X-A: ${'a'.repeat(4_000)}\r\n`.repeat(10)),
    431,
  ),
  refused(
    'a field of 120 KB that has no end',
    '6585 5',
    `GET / HTTP/1.1\r\nHost: a.test\r\nX-A: ${'a'.repeat(120_000)}`,
    431,
  ),
  passed('a target of 16,384 bytes', '9112 3', get('', `/${'a'.repeat(16_383)}`)),
  refused('a target of 16,385 bytes', '9112 3', get('', `/${'a'.repeat(16_384)}`), 414),
  refused('a target of 40 KB', '9112 3', get('', `/${'a'.repeat(40_000)}`), 414),
  refused(
    'a target of 120 KB that has no end',
    '9112 3',
    `GET /${'a'.repeat(120_000)}`,
    [414, 431],
  ),
  refused(
    'a Host of 20 KB',
    '9110 7.2',
    `GET / HTTP/1.1\r\nHost: ${'a.'.repeat(10_000)}test\r\n\r\n`,
    [400, 421],
  ),
];
