// The browser script in a real browser, before a server that can fail: what is reported, once,
// and that nothing is lost by an outage, an unload or a browser that remembers nothing.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { reportSchema, type Report } from '@turnout/contracts/event';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasChromium, launchBrowser, watchPage } from '../kit/browser.ts';

const REQUEST_ID = '0199f5a2-7b3c-7c1e-9a41-d20f6c51e97b';
const SCRIPT = fileURLToPath(import.meta.resolve('@turnout/client/script'));
/** A page that lives in an origin of its own, and is denied storage. */
const DENIED = '/denied';
const PAGES: Readonly<Record<string, string>> = {
  '/': 'data-expect="signup"',
  '/other': 'data-expect="signup"',
  '/welcome': 'data-expect="signup" data-settle="signup"',
  '/quiet': '',
  [DENIED]: 'data-expect="signup"',
};

type Result = Report['events'][number];

let browser: Browser;
let server: Server;
let origin: string;
let context: BrowserContext;
/** What every report is answered with; 0 breaks the connection. */
let status: number;
/** Every report that came, in order. */
let results: Result[];

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  const attributes = PAGES[path];
  if (path === '/_turnout/v1/events') {
    results.push(...reportSchema.parse(JSON.parse(await text(request))).events);
    if (status === 0) request.socket.destroy();
    else response.writeHead(status, { 'Access-Control-Allow-Origin': '*' }).end('{}');
  } else if (path === '/_turnout/client.js') {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(await readFile(SCRIPT));
  } else if (attributes === undefined) {
    response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
  } else {
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Server-Timing': `edge;dur=0.1, request;desc="${REQUEST_ID}"`,
      ...(path === DENIED && { 'Content-Security-Policy': 'sandbox allow-scripts' }),
    });
    response.end(`<!doctype html><script src="/_turnout/client.js" defer ${attributes}></script>`);
  }
}

// oxlint-disable-next-line vitest/valid-title -- told apart by the machine, not by a title
describe.runIf(hasChromium())('the client script', () => {
  beforeAll(async () => {
    server = createServer((request, response) => void answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('Expected a TCP address.');
    // A name that browsers take for secure, which Server-Timing asks for.
    origin = `http://localhost:${address.port}`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });
  beforeEach(async () => {
    status = 202;
    results = [];
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  test('reports a conversion, and leaves one name and nothing stored behind', async () => {
    const page = await context.newPage();
    const watch = watchPage(page, origin);
    await page.goto(`${origin}/quiet`);
    const before = Date.now();
    await page.evaluate(`turnout.convert('signup', { value: 18 })`);
    await until(() => results.length === 1);
    expect(results).toEqual([
      {
        event_id: expect.any(String),
        metric: 'signup',
        did_convert: true,
        value: 18,
        occurred_at: expect.any(Number),
        request_id: REQUEST_ID,
      },
    ]);
    expect(Number(results[0]?.occurred_at) - before).toBeLessThan(60_000);
    await expect.poll(() => stored(page)).toEqual([]);
    const frame = `document.body.appendChild(document.createElement('iframe')).contentWindow`;
    const added = await page.evaluate<string[]>(
      `Object.keys(window).filter(((bare) => (name) => !(name in bare))(${frame}))`,
    );
    expect(added.filter((name) => !/^\d+$/.test(name))).toEqual(['turnout']);
    expect(watch.problems).toEqual([]);
  });

  test('a visit that is left without a conversion is one non-conversion', async () => {
    const page = await context.newPage();
    const watch = watchPage(page, origin);
    await page.goto(`${origin}/quiet`);
    await page.goto(`${origin}/`);
    expect(results).toEqual([]);
    await page.goto(`${origin}/other`);
    await page.goto(`${origin}/`);
    await page.goto('about:blank');
    await until(() => ids().length === 1);
    expect(results[0]).toMatchObject({ metric: 'signup', did_convert: false });
    expect(results[0]).not.toHaveProperty('value');

    // Another tab is another visit.
    const tab = await context.newPage();
    await tab.goto(`${origin}/`);
    await tab.close({ runBeforeUnload: true });
    await until(() => ids().length === 2);
    expect(watch.problems).toEqual([]);
  });

  test('a hidden page is one that is left: it may never come back', async () => {
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    // Chromium without a screen hides no page, so this one is told.
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { get: () => true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    `);
    await until(() => results.length === 1);
    expect(results).toMatchObject([{ did_convert: false }]);
  });

  test('after a conversion, here or by the server, no non-conversion follows', async () => {
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await page.evaluate(`turnout.convert('signup')`);
    await page.goto(`${origin}/other`);
    await page.goto('about:blank');
    const other = await context.newPage();
    await other.goto(`${origin}/welcome`);
    await other.goto(`${origin}/`);
    await other.goto('about:blank');
    expect(await resultsByNow(context)).toMatchObject([{ did_convert: true }]);
  });

  test('a conversion made offline is sent when the network is back', async () => {
    const page = await context.newPage();
    await page.goto(`${origin}/quiet`);
    await goOffline(page);
    await page.evaluate(`turnout.convert('signup', { value: 5 })`);
    await expect.poll(() => stored(page)).toHaveLength(1);
    expect(results).toEqual([]);
    await context.setOffline(false);
    await until(() => results.length === 1);
    expect(results).toMatchObject([{ did_convert: true, value: 5, request_id: REQUEST_ID }]);
    await expect.poll(() => stored(page)).toEqual([]);
  });

  test('a visit that is left offline is reported by the next one', async () => {
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await goOffline(page);
    await page.goto('about:blank');
    await page.close();
    await context.setOffline(false);
    expect(results).toEqual([]);
    const later = await context.newPage();
    await later.goto(`${origin}/quiet`);
    await until(() => results.length === 1);
    expect(results).toMatchObject([{ did_convert: false, request_id: REQUEST_ID }]);
    await expect.poll(() => stored(later)).toEqual([]);
  });

  test.each([503, 0])('what is answered with %i is sent again, as the same event', async (bad) => {
    status = bad;
    const page = await context.newPage();
    await page.goto(`${origin}/quiet`);
    await page.evaluate(`turnout.convert('signup')`);
    // Chromium itself may repeat one whose connection broke.
    await until(() => results.length >= 1);
    status = 202;
    await expect.poll(() => stored(page)).toEqual([]);
    expect(results.length).toBeGreaterThan(1);
    expect(ids()).toHaveLength(1);
  });

  test('what the edge does not count is not sent again, and is no error in the console', async () => {
    status = 204;
    const page = await context.newPage();
    const watch = watchPage(page, origin);
    await page.goto(`${origin}/quiet`);
    await page.evaluate(`turnout.convert('signup')`);
    await until(() => results.length === 1);
    await expect.poll(() => stored(page)).toEqual([]);
    expect(watch.problems).toEqual([]);
  });

  test('what the edge refuses is not sent again', async () => {
    status = 422;
    const page = await context.newPage();
    await page.goto(`${origin}/quiet`);
    await page.evaluate(`turnout.convert('Sign-Up of Ada'.toLowerCase().replaceAll(' ', '-'))`);
    await until(() => results.length === 1);
    await expect.poll(() => stored(page)).toEqual([]);
  });

  test('tabs that share what waits send no event that there was not', async () => {
    status = 503;
    const pages = await Promise.all([context.newPage(), context.newPage(), context.newPage()]);
    for (const page of pages) {
      await page.goto(`${origin}/quiet`);
      await page.evaluate(`turnout.convert('signup')`);
    }
    await until(() => ids().length === 3);
    status = 202;
    await Promise.all(pages.map((page) => page.reload()));
    for (const page of pages) await expect.poll(() => stored(page)).toEqual([]);
    expect(ids()).toHaveLength(3);
  });

  test('works where there is no storage, as in a web view', async () => {
    const page = await context.newPage();
    const exceptions: string[] = [];
    page.on('pageerror', ({ message }) => exceptions.push(message));
    await page.addInitScript(`
      for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, { value: null });
    `);
    await page.goto(`${origin}/`);
    await page.evaluate(`turnout.convert('signup')`);
    await page.goto('about:blank');
    expect(await resultsByNow(context)).toMatchObject([{ did_convert: true }]);
    expect(exceptions).toEqual([]);
  });

  test('works where the browser denies storage', async () => {
    status = 503;
    const page = await context.newPage();
    const exceptions: string[] = [];
    page.on('pageerror', ({ message }) => exceptions.push(message));
    await page.goto(origin + DENIED);
    await expect(page.evaluate('localStorage')).rejects.toThrow('SecurityError');
    await page.evaluate(`turnout.convert('signup')`);
    await until(() => results.length === 1);
    status = 202;
    await until(() => results.length === 2);
    await page.goto('about:blank');
    expect(ids()).toHaveLength(1);
    expect(exceptions).toEqual([]);
  });
});

function ids(): string[] {
  return [...new Set(results.map(({ event_id }) => event_id))];
}

/** Cuts the network, and waits until the page knows. */
async function goOffline(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await page.waitForFunction('!navigator.onLine');
}

/** What waits in the browser's storage. */
function stored(page: Page): Promise<string[]> {
  return page.evaluate<string[]>('Object.keys(localStorage)');
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds).toBe(true);
}

/** All results but repetitions, once one that is made now has come as well. */
async function resultsByNow(of: BrowserContext): Promise<Result[]> {
  const page = await of.newPage();
  await page.goto(`${origin}/quiet`);
  await page.evaluate(`turnout.convert('now')`);
  await until(() => results.some(({ metric }) => metric === 'now'));
  const others = results.filter(({ metric }) => metric !== 'now');
  return [...new Map(others.map((result) => [result.event_id, result])).values()];
}
