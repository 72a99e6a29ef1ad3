import { expect, test } from 'vitest';
import { makePrivate } from './cache-control.ts';

const cases: [upstream: string | undefined, visitor: string][] = [
  [undefined, 'private, no-cache'],
  ['', 'private'],
  ['public', 'private'],
  ['public, max-age=60', 'private, max-age=60'],
  ['s-maxage=31536000', 'private, no-cache'],
  ['s-maxage=31536000, stale-while-revalidate=60', 'private, no-cache, stale-while-revalidate=60'],
  ['public, s-maxage=600, max-age=5', 'private, max-age=5'],
  ['PUBLIC, S-MaxAge=600', 'private, no-cache'],
  ['private, max-age=0', 'private, max-age=0'],
  ['no-store', 'no-store'],
  ['private, no-cache, no-store, max-age=0', 'private, no-cache, no-store, max-age=0'],
  ['proxy-revalidate, max-age=60', 'private, max-age=60'],
];

test.each(cases)('%s becomes %s', (upstream, visitor) => {
  const headers = ['Content-Type', 'text/html'];
  if (upstream !== undefined) headers.push('cache-control', upstream);
  makePrivate(headers);
  expect(headers.at(-1)).toBe(visitor);
  expect(headers).toHaveLength(4);
});

test('every line of several is made private', () => {
  const headers = ['Cache-Control', 'public', 'Vary', 'Accept', 'Cache-Control', 's-maxage=60'];
  makePrivate(headers);
  expect(headers).toEqual([
    'Cache-Control',
    'private',
    'Vary',
    'Accept',
    'Cache-Control',
    'private, no-cache',
  ]);
});

test.each([
  'Surrogate-Control',
  'CDN-Cache-Control',
  'cloudflare-cdn-cache-control',
  'Vercel-CDN-Cache-Control',
])('%s, which a shared cache obeys first, is taken out', (name) => {
  const headers = ['Via', '1.1 a', name, 'max-age=600', 'Cache-Control', 'max-age=5', name, 'x'];
  makePrivate(headers);
  expect(headers).toEqual(['Via', '1.1 a', 'Cache-Control', 'private, max-age=5']);
});
