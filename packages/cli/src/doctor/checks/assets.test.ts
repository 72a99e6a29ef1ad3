import { expect, test } from 'vitest';
import { experiment, page, script, startSite, troubles, type Site } from '../testing/site.ts';

type Replies = Parameters<typeof startSite>[0];

async function troublesOf(replies: Replies, more: Readonly<Record<string, unknown>> = {}) {
  await using site: Site = await startSite(replies);
  return troubles(await site.examine(more), 'assets');
}
const withScript = (src: string) => ({
  '/': (request: Parameters<typeof page>[0]) => page(request, `<script src="${src}"></script>`),
});

test('a file that no route owns goes to the default upstream, which lacks it', async () => {
  const found = await troublesOf({
    next: { ...withScript('/build/app.js'), '/build/app.js': script('1') },
  });
  expect(found).toEqual([
    {
      level: 'error',
      where: 'next /',
      expected: '/build/app.js from next',
      got: 'status 404 from control, where what no route owns goes: control',
      fix: 'Add the route { path: /build/**, upstream: next }, before those that match it now',
    },
  ]);
});

test('files of one prefix are told as one, with those that style sheets load', async () => {
  const css = {
    headers: { 'Content-Type': 'text/css' },
    body: '@import "more.css"; @font-face { src: url(font.woff2) } p { background: URL("./a.png") }',
  };
  const found = await troublesOf({
    next: {
      '/': (request) => page(request, '<link rel="stylesheet" href="/build/a.css">'),
      '/build/a.css': css,
      '/build/more.css': css,
      '/build/font.woff2': { body: 'font' },
      '/build/a.png': { body: 'picture' },
    },
  });
  expect(found).toMatchObject([
    { expected: '/build/a.css, /build/more.css, /build/font.woff2 and 1 more from next' },
  ]);
});

test('a route of another upstream takes it', async () => {
  const found = await troublesOf({
    next: { ...withScript('/_mfe/control/x.js'), '/_mfe/control/x.js': script('1') },
  });
  expect(found).toMatchObject([
    {
      level: 'error',
      got: 'status 404 from control, where a route sends it: control',
      // The control's own pages have files there.
      fix: expect.stringContaining('build next with a prefix of its own'),
    },
  ]);
});

test('the same path with another file in both', async () => {
  const found = await troublesOf({
    control: { ...withScript('/assets/app.js'), '/assets/app.js': script('control') },
    next: { ...withScript('/assets/app.js'), '/assets/app.js': script('next') },
  });
  expect(found).toMatchObject([
    {
      level: 'error',
      where: 'next /',
      got: expect.stringContaining('another file from control'),
      fix: expect.stringContaining('{ path: /_mfe/next/**, upstream: next }'),
    },
  ]);
});

test('a file that another upstream is meant to serve, or that both have, is fine', async () => {
  const found = await troublesOf({
    control: { '/uploads/shared.js': script('shared'), '/logo.svg': { body: 'logo' } },
    next: {
      '/': (request) =>
        page(request, '<script src="/uploads/shared.js"></script>', '<img src="/logo.svg">'),
      '/logo.svg': { body: 'logo' },
    },
  });
  expect(found).toEqual([]);
});

test('files in the scope of the experiment are right for visitors with a cookie alone', async () => {
  const found = await troublesOf(
    { next: { ...withScript('/app.js'), '/app.js': script('1') } },
    { experiments: [experiment({ scope: { paths: ['/**'] } })] },
  );
  expect(found).toMatchObject([
    {
      level: 'warning',
      got: expect.stringMatching(/^status 404 from control for whoever keeps no cookie/),
      fix: 'Add the route { path: /app.js, upstream: next }, before those that match it now',
    },
  ]);
});

test('files of other sites are not asked for', async () => {
  const found = await troublesOf({
    next: withScript('https://cdn.example/app.js'),
  });
  expect(found).toEqual([]);
});
