import { describe, expect, test } from 'vitest';
import { serviceWorkerCalls } from '../service-worker-calls.ts';
import { html, page, script, startSite, troubles } from '../testing/site.ts';

test('one that a script in the page registers for the whole site', async () => {
  await using site = await startSite({
    next: {
      '/': (request) =>
        page(
          request,
          '',
          `<script>navigator.serviceWorker.register('/_mfe/next/sw.js', { scope: '/' })</script>`,
        ),
    },
  });
  expect(troubles(await site.examine(), 'service-workers')).toMatchObject([
    {
      level: 'error',
      where: 'next / (a script in the page)',
      got: 'it registers /_mfe/next/sw.js for /, which takes in /, /plans',
      fix: expect.stringContaining('unregister()'),
    },
  ]);
});

/** What is told of a linked script that registers this worker. */
async function linkedTroubles(worker: string) {
  const register = `if ("serviceWorker" in navigator) navigator?.serviceWorker.register("${worker}");`;
  await using site = await startSite({ next: { '/_mfe/next/app.js': script(register) } });
  return troubles(await site.examine(), 'service-workers');
}

test('one that a linked script registers, for the folder that it is in', async () => {
  expect(await linkedTroubles('/_mfe/next/sw.js')).toEqual([]);
  expect(await linkedTroubles('/worker.js')).toMatchObject([
    { level: 'error', where: 'next /_mfe/next/app.js', got: expect.stringContaining('for /,') },
  ]);
});

test('one that is worked out in the browser, and a script that can not be read', async () => {
  await using site = await startSite({
    next: {
      '/': html('<script>navigator.serviceWorker.register(base + "sw.js")</script>'),
      '/plans': html('<script>navigator.serviceWorker.register(</script>'),
    },
  });
  expect(troubles(await site.examine(), 'service-workers')).toMatchObject([
    {
      level: 'warning',
      where: 'next / (a script in the page)',
      got: 'it registers one that is worked out in the browser',
    },
    {
      level: 'warning',
      where: 'next /plans (a script in the page)',
      got: expect.stringContaining('no JavaScript that can be read'),
    },
  ]);
});

test('a file where service workers usually are, unless it is a page', async () => {
  await using site = await startSite({
    control: { '/sw.js': script('self.addEventListener("fetch", () => {})') },
    next: {
      '/sw.js': html('', 'Single-page apps answer everything'),
      '/service-worker.js': script(''),
    },
  });
  const found = troubles(await site.examine(), 'service-workers');
  expect(found.map(({ level, where }) => [level, where])).toEqual([
    ['warning', 'control /sw.js'],
    ['warning', 'next /service-worker.js'],
  ]);
});

describe('calls in scripts', () => {
  test.each([
    [
      `navigator.serviceWorker.register('/sw.js')`,
      [{ kind: 'written', script: '/sw.js', scope: undefined }],
    ],
    [
      'navigator["serviceWorker"].register(`/sw.js`, {"scope": "/a/"})',
      [{ kind: 'written', script: '/sw.js', scope: '/a/' }],
    ],
    [
      `import a from 'b'; window.navigator.serviceWorker?.register('/sw.js', { type: 'module' })`,
      [{ kind: 'written', script: '/sw.js', scope: undefined }],
    ],
    [`navigator.serviceWorker.register('/sw.js', options)`, [{ kind: 'computed' }]],
    [`navigator.serviceWorker.register('/sw.js', { scope: base })`, [{ kind: 'computed' }]],
    ['navigator.serviceWorker.register(`${base}/sw.js`)', [{ kind: 'computed' }]],
    [`// navigator.serviceWorker.register('/sw.js')`, []],
    [`'navigator.serviceWorker.register("/sw.js")'`, []],
    ['navigator.serviceWorker.ready', []],
    ['with (a) { serviceWorker }', []],
    ['serviceWorker {', undefined],
  ])('%s', (source, calls) => {
    expect(serviceWorkerCalls(source)).toEqual(calls);
  });
});
