import { expect, test } from 'vitest';
import { html, startSite, troubles } from '../testing/site.ts';

function cached(headers: Readonly<Record<string, string>>) {
  const { headers: plain, body = '' } = html('');
  return { headers: { ...plain, ...headers }, body };
}

test('pages for shared caches, told once for each upstream', async () => {
  const next = {
    '/': cached({ 'Cache-Control': 's-maxage=60' }),
    '/plans': cached({ 'Cache-Control': 'public, max-age=60' }),
  };
  await using site = await startSite({ next });
  expect(troubles(await site.examine(), 'caching')).toMatchObject([
    {
      level: 'warning',
      where: 'next /, next /plans',
      got: 'Cache-Control: s-maxage=60, public, max-age=60',
      fix: expect.stringContaining('A CDN in front must go by that'),
    },
  ]);
});

test.each([
  ['private', { 'Cache-Control': 'private, max-age=60' }],
  ['no-store', { 'Cache-Control': 'public, no-store' }],
  ['told apart by the cookie', { 'Cache-Control': 'public', Vary: 'Accept, Cookie' }],
])('%s is no trouble', async (_, headers) => {
  await using site = await startSite({ next: { '/': cached(headers) } });
  expect(troubles(await site.examine(), 'caching')).toEqual([]);
});

test('what a CDN obeys before Cache-Control', async () => {
  const reply = cached({ 'CDN-Cache-Control': 'max-age=60', 'Surrogate-Control': 'no-store' });
  await using site = await startSite({ next: { '/': reply } });
  expect(troubles(await site.examine(), 'caching')).toMatchObject([
    { level: 'error', where: 'next /', got: 'cdn-cache-control: max-age=60' },
  ]);
});

test('pages outside of experiments may be cached', async () => {
  await using site = await startSite({
    control: { '/about': cached({ 'Cache-Control': 'public' }) },
  });
  const examined = await site.examine({}, { paths: ['/about'] });
  expect(troubles(examined, 'caching')).toEqual([]);
});
