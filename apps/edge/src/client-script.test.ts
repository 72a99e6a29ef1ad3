import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createScript } from './client-script.ts';

const source = Buffer.from('console.info("a page reports");\n'.repeat(20));
const script = createScript(source);

test.each([
  ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
  ['gzip', 'gzip', gunzipSync],
  ['gzip, br;q=0', 'gzip', gunzipSync],
  ['*', 'br', brotliDecompressSync],
] as const)('to whoever accepts "%s" it is sent as %s', (accepted, coding, decompress) => {
  const { status, headers, body } = script({ 'accept-encoding': accepted });
  expect([status, headers['Content-Encoding']]).toEqual([200, coding]);
  expect(decompress(body ?? '').equals(source)).toBe(true);
});

test.each([undefined, '', 'identity', 'zstd', 'br;q=0, gzip;q=0', 'identity;q=0'])(
  'to whoever accepts "%s" it is sent as it is',
  (accepted) => {
    const { status, headers, body } = script(
      accepted === undefined ? {} : { 'accept-encoding': accepted },
    );
    expect([status, headers['Content-Encoding'], body]).toEqual([200, undefined, source]);
    expect(headers).toMatchObject({
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': 'public, max-age=3600',
      Vary: 'Accept-Encoding',
    });
  },
);

function etag(accepted: string, from = script): string | undefined {
  return from({ 'accept-encoding': accepted }).headers['ETag'];
}

test('its ETag is strong, one for each coding, and changes with the script', () => {
  const other = createScript(Buffer.from('other'));
  const etags = [etag('br'), etag('gzip'), etag('identity'), etag('br', other)];
  expect(new Set(etags).size).toBe(4);
  for (const one of etags) expect(one).toMatch(/^"[\w-]+"$/);
});

test('to whoever has it, nothing is sent', () => {
  const current = etag('br') ?? '';
  for (const held of [current, `W/${current}`, `"other", ${current}`, '*']) {
    const again = script({ 'accept-encoding': 'br', 'if-none-match': held });
    expect([again.status, again.body, again.headers['ETag']]).toEqual([304, undefined, current]);
  }
  expect(script({ 'accept-encoding': 'gzip', 'if-none-match': current }).status).toBe(200);
});
