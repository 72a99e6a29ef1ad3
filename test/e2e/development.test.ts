import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launchBrowser, watchPage, type PageWatch } from '../kit/browser.ts';
import { copyCheckout, type Checkout } from '../kit/checkout.ts';
import { visitorOfEachFrontend, type FrontendName } from '../kit/frontend-visitors.ts';
import { send } from '../kit/http.ts';
import { startStack, type StackProcess } from '../kit/stack-process.ts';

let checkout: Checkout;
let stack: StackProcess;
let browser: Browser;
let visitors: Readonly<Record<FrontendName, string>>;

interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  readonly watch: PageWatch;
}

/** The front door in a window of the frontend's visitor. */
async function openHome(frontend: FrontendName): Promise<OpenPage> {
  const context = await browser.newContext();
  const value = visitors[frontend].slice('turnout='.length);
  await context.addCookies([{ name: 'turnout', value, url: stack.url }]);
  const page = await context.newPage();
  const watch = watchPage(page, stack.url);
  const isListening = listensForEdits(page);
  await page.goto(`${stack.url}/`);
  // An edit made before the page listens would pass it by.
  if (frontend !== 'wordpress') await isListening;
  await page.waitForLoadState('networkidle');
  expect(await page.locator('html').getAttribute('data-frontend')).toBe(frontend);
  return { page, watch, [Symbol.asyncDispose]: () => context.close() };
}

/** What passes between a page and its server when hot reload is up: sent by Next, received from Vite. */
const HOT_RELOAD_IS_UP = /"turbopack-subscribe"|^\{"type":"connected"\}/;

/** Resolves when the page listens for edits. */
function listensForEdits(page: Page): Promise<void> {
  return new Promise((resolve) => {
    const look = ({ payload }: { payload: string | Buffer }): void => {
      if (HOT_RELOAD_IS_UP.test(String(payload))) resolve();
    };
    page.on('websocket', (socket) => socket.on('framesent', look).on('framereceived', look));
  });
}

/** What the API says of a path that it does not have. */
async function nothingFound(): Promise<string> {
  return (await send(`${stack.url}/api/nothing`, {})).text;
}

/** What the edge says of its own time; undefined while it restarts. */
async function serverTiming(): Promise<unknown> {
  const answer = await send(`${stack.url}/_mfe/vue/healthz`, {}).catch(() => undefined);
  return answer?.headers['server-timing'];
}

/** Marks the document, so that a reload shows. */
const MARK = 'window.sameDocument = true';
const IS_MARKED = 'window.sameDocument === true';

describe.runIf(hasChromium())('npm run dev', () => {
  beforeAll(async () => {
    checkout = await copyCheckout();
    [stack, browser] = await Promise.all([
      startStack({ mode: 'dev', root: checkout.root }),
      launchBrowser(),
    ]);
    visitors = await visitorOfEachFrontend(stack.url);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.remove();
    await checkout?.remove();
  });

  test('an edited component of Next.js shows without a reload', async () => {
    await using home = await openHome('next');
    const { page, watch } = home;
    await page.evaluate(MARK);
    // Saved again while it does not show: Next's watcher can miss what is saved in the very
    // moment that it has compiled the page for the first time.
    let name = 'Plans';
    const showsWhenSaved = async (): Promise<boolean> => {
      const before = `name: '${name}'`;
      name = name === 'Offers' ? 'Our offers' : 'Offers';
      await checkout.edit('apps/next/src/shell/navigation.tsx', before, `name: '${name}'`);
      const link = page.getByRole('navigation').getByRole('link', { name, exact: true });
      return link.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    };
    await expect.poll(showsWhenSaved, { timeout: 60_000 }).toBe(true);
    await checkout.edit('apps/next/src/screens/home.tsx', 'See plans', 'See our offers');
    await page.getByRole('link', { name: 'See our offers' }).waitFor();
    expect(await page.evaluate(IS_MARKED)).toBe(true);
    expect(watch.problems).toEqual([]);
  });

  test('an edited component of Vue shows without a reload', async () => {
    await using home = await openHome('vue');
    const { page, watch } = home;
    await page.evaluate(MARK);
    await checkout.edit('apps/vue/src/pages/HomePage.vue', 'See plans', 'See our offers');
    await page.getByRole('link', { name: 'See our offers' }).waitFor();
    expect(await page.evaluate(IS_MARKED)).toBe(true);
    expect(watch.problems).toEqual([]);
  });

  test('edited PHP and CSS of the WordPress theme show on reload', async () => {
    await using home = await openHome('wordpress');
    const { page, watch } = home;
    await checkout.edit(
      'wordpress/theme/front-page.php',
      'Leave when you like',
      'Go when you like',
    );
    await checkout.edit('wordpress/theme/style.css', '--navy: #14284b', '--navy: #123456');
    // PHP looks once a second whether a file has changed.
    const reloadedHeadings = async () => {
      await page.reload();
      return page.getByRole('heading').allInnerTexts();
    };
    await expect.poll(reloadedHeadings, { interval: 500 }).toContain('Go when you like');
    const navy = `getComputedStyle(document.documentElement).getPropertyValue('--navy').trim()`;
    expect(await page.evaluate(navy)).toBe('#123456');
    expect(watch.problems).toEqual([]);
  });

  test('the API restarts when its code changes, and waits for the next edit when it is broken', async () => {
    const said = 'There is nothing at this address.';
    expect(await nothingFound()).toContain(said);
    await checkout.edit('apps/api/src/app.ts', said, 'Nothing.');
    await expect.poll(nothingFound).toContain('"Nothing."');
    await expect.poll(() => stack.output()).toContain('apps/api/src/app.ts changed: api restarted');

    await checkout.edit('apps/api/src/app.ts', "'Nothing.'", "'Nothing.' +");
    await expect.poll(() => stack.output()).toContain('Waiting for the next change.');
    await checkout.edit('apps/api/src/app.ts', "'Nothing.' +", "'Nothing at all.'");
    await expect.poll(nothingFound).toContain('"Nothing at all."');
  });

  test('the edge restarts when its code changes, and the pages open stay live', async () => {
    await using home = await openHome('vue');
    const { page } = home;
    expect(await serverTiming()).toMatch(/^edge;/);
    await checkout.edit('apps/edge/src/exchange.ts', '`edge;dur=', '`turnout;dur=');
    await expect.poll(serverTiming).toMatch(/^turnout;/);
    await expect.poll(() => stack.output()).toContain('exchange.ts changed: edge restarted');
    // The socket has to find the new edge before it hears of anything.
    await checkout.edit('apps/vue/src/pages/HomePage.vue', 'See our offers', 'See everything');
    await page.getByRole('link', { name: 'See everything' }).waitFor();
  });

  test('Ctrl-C ends all of it', async () => {
    expect(await stack.stop()).toEqual({ code: 0, orphans: [] });
  });
});
