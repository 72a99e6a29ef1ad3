import { expect, test } from 'vitest';
import { html, page, startSite, troubles, type Reply } from '../testing/site.ts';

/** The trouble with links when `next` answers `/` like this. */
async function troublesOf(reply: Reply, more: Readonly<Record<string, unknown>> = {}) {
  await using site = await startSite({ next: { '/': reply } });
  return troubles(await site.examine(more), 'links');
}
const CANONICAL = '<link rel="canonical" href="https://shop.example/">';

test('a canonical link to an inner address, on which the variants disagree', async () => {
  const found = await troublesOf(html('<link rel="Canonical" href="http://localhost:3000/">'));
  expect(found).toMatchObject([
    {
      level: 'error',
      where: '/',
      got: 'control: https://shop.example/, next: http://localhost:3000/',
    },
    {
      level: 'error',
      where: 'next /',
      expected: 'a canonical link to https://shop.example/',
      got: 'http://localhost:3000/',
      fix: expect.stringContaining('X-Forwarded-Host'),
    },
  ]);
});

test('a canonical link by http under https', async () => {
  const found = await troublesOf(html('<link rel="canonical" href="http://shop.example/">'));
  expect(found.map(({ level, got }) => [level, got])).toContainEqual([
    'error',
    'http://shop.example/',
  ]);
});

test('a canonical link that one variant lacks', async () => {
  expect(await troublesOf(html(''))).toMatchObject([
    { level: 'warning', where: '/', got: 'control: https://shop.example/, next: none' },
  ]);
});

test('two canonical links', async () => {
  const found = await troublesOf(html(`${CANONICAL}<link rel=canonical href=/start>`));
  expect(found).toMatchObject([{ level: 'warning', expected: 'one canonical link' }]);
});

test('a canonical link that all variants give to another path', async () => {
  const home = html('<link rel="canonical" href="/start">');
  await using site = await startSite({ control: { '/': home }, next: { '/': home } });
  expect(troubles(await site.examine(), 'links')).toMatchObject([
    { level: 'warning', where: 'control /', got: 'https://shop.example/start' },
    { level: 'warning', where: 'next /' },
  ]);
});

test.each([
  [
    'a link',
    '<a href="http://127.0.0.1:3000/plans">Plans</a>',
    'http://127.0.0.1:3000/plans (a href)',
  ],
  ['a picture', '<img src="//10.1.2.3/a.png">', 'https://10.1.2.3/a.png (img src)'],
  [
    'a picture of many sizes',
    '<img srcset="/a.png 1x, http://next:3000/b.png 2x">',
    'http://next:3000/b.png (img srcset)',
  ],
  [
    'a form',
    '<form action="http://shop.internal/sign-up">',
    'http://shop.internal/sign-up (form action)',
  ],
  [
    'a style',
    '<p style="background: url(http://[::1]:3000/a.png)">',
    'http://[::1]:3000/a.png (p style)',
  ],
  [
    'a style sheet in the page',
    '<style>@import "http://localhost/a.css";</style>',
    'http://localhost/a.css (style)',
  ],
  [
    'a port of its own at the public host',
    '<script src="https://shop.example:3000/a.js"></script>',
    'https://shop.example:3000/a.js (script src)',
  ],
  [
    'an address of Open Graph',
    '<meta property="og:url" content="https://192.168.0.7/">',
    'https://192.168.0.7/ (og:url)',
  ],
  ['a base', '<base href="http://localhost:3000/">', 'http://localhost:3000/ (base href)'],
])('%s at an inner address', async (_, markup, got) => {
  const found = await troublesOf(html(CANONICAL + markup));
  expect(found.filter(({ expected }) => expected.startsWith('paths, or'))).toMatchObject([
    { level: 'error', where: 'next /', got: expect.stringContaining(got) },
  ]);
});

test('the address of another upstream, as the configuration has it', async () => {
  await using site = await startSite({
    next: { '/': (request) => page(request, '', `<a href="${String(control())}/plans">Plans</a>`) },
  });
  const control = () => site.urls['control'];
  expect(troubles(await site.examine(), 'links')).toMatchObject([
    { level: 'error', got: `${String(control())}/plans (a href)` },
  ]);
});

test('assets by http under https are refused by browsers, links lose a redirect', async () => {
  const body =
    '<img src="http://cdn.example/a.png"><a href="http://shop.example/plans">Plans</a>' +
    '<a href="http://other.example/">Others may be as they like</a>';
  expect(await troublesOf(html(CANONICAL, body))).toMatchObject([
    { level: 'error', expected: 'assets over https', got: 'http://cdn.example/a.png (img src)' },
    { level: 'warning', expected: 'links over https', got: 'http://shop.example/plans (a href)' },
  ]);
});

test('what stands in comments, scripts and templates of text is no address of the page', async () => {
  const body =
    '<!-- <a href="http://localhost:1/"> --><script>const a = "<img src=http://localhost:2/>";</script>' +
    '<textarea><a href="http://localhost:3/"></textarea><a href="mailto:a@localhost">Write</a>';
  expect(await troublesOf(html(CANONICAL, body))).toEqual([]);
});

test('without public.url, the scheme and port in front are not held against a page', async () => {
  const canonical = '<link rel="canonical" href="https://shop.example/">';
  await using site = await startSite({
    control: { '/': html(canonical) },
    next: { '/': html(canonical) },
  });
  const examined = await site.examine({ public: { hosts: ['shop.example'] } });
  expect(troubles(examined, 'links')).toEqual([]);
});
