import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { acceptedEncoding, encodeBody } from './content-encoding.ts';

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['GZIP;q=0.5, br;q=0', 'gzip'],
  ['br;q=0.000, gzip; q=0', null],
  ['identity', null],
  ['brotli, x-gzip', null],
  [undefined, null],
] as const)('Accept-Encoding %j takes %j', (header, expected) => {
  expect(acceptedEncoding(header)).toBe(expected);
});

test('bodies come back the same, and small ones are left alone', async () => {
  const body = Buffer.from('tern '.repeat(1000));
  const brotli = await encodeBody(body, 'br');
  const gzip = await encodeBody(body, 'gzip');
  expect(brotli && brotliDecompressSync(brotli).equals(body)).toBe(true);
  expect(gzip && gunzipSync(gzip).equals(body)).toBe(true);
  expect(await encodeBody(Buffer.from('tern'), 'br')).toBeNull();
  expect(await encodeBody(body, null)).toBeNull();
});
