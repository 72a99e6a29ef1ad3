import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { planListSchema, type Plan } from '@turnout/contracts/product';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessibilityProblems,
  hasChromium,
  horizontalOverflow,
  launchBrowser,
  watchPage,
  type LoadedResource,
  type PageWatch,
} from '../kit/browser.ts';
import { visitorOfEachFrontend, type FrontendName } from '../kit/frontend-visitors.ts';
import { NAVIGATION, send } from '../kit/http.ts';
import { metricValue } from '../kit/metrics.ts';
import { startStack, type StackProcess } from '../kit/stack-process.ts';

const FRONTENDS = [
  {
    name: 'wordpress',
    label: 'WordPress',
    variant: 'control',
    mount: '/wordpress',
    hydrated: undefined,
  },
  {
    name: 'next',
    label: 'Next.js',
    variant: 'A',
    mount: '/next',
    // React keeps its props on the elements that it has taken over.
    hydrated: `Object.keys(document.querySelector('nav a') ?? {}).some((key) => key.startsWith('__reactProps$'))`,
  },
  {
    name: 'vue',
    label: 'Vue',
    variant: 'B',
    mount: '/vue',
    // Vue names its application on the element where it is mounted.
    hydrated: `[...document.querySelectorAll('body > *')].some((element) => '__vue_app__' in element)`,
  },
] as const;
type Frontend = (typeof FRONTENDS)[number];

const WIDTHS = [1280, 375];

let stack: StackProcess;
let browser: Browser;
let plans: Plan[];
let visitors: Readonly<Record<FrontendName, string>>;

// oxlint-disable-next-line vitest/valid-title -- told apart by the machine, not by a title
describe.runIf(hasChromium())('in a browser', () => {
  beforeAll(async () => {
    [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
    plans = planListSchema.parse(JSON.parse((await send(`${stack.url}/api/plans`, {})).text)).plans;
    visitors = await visitorOfEachFrontend(stack.url);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.remove();
  });

  describe.each(FRONTENDS)('$label', (frontend) => {
    test.each(WIDTHS)('its pages are whole and accessible, %i pixels wide', async (width) => {
      await using visit = await visitAs(frontend, { viewport: { width, height: 800 } });
      const { page, watch } = visit;
      const plan = popularPlan();
      const pages: [path: string, title: string, check: (page: Page) => Promise<void>][] = [
        ['/', 'Tern Mobile – Goes where you go.', expectHome],
        ['/plans', 'Plans – Tern Mobile', expectPlans],
        [`/plans/${plan.id}`, `${plan.name} – Tern Mobile`, expectPlan],
        [`/sign-up?plan=${plan.id}`, 'Sign up – Tern Mobile', expectSignUp],
      ];
      for (const [path, title, check] of pages) {
        const answer = await page.goto(stack.url + path, { waitUntil: 'load' });
        await isHydrated(frontend, page);
        expect({
          path,
          status: answer?.status(),
          title: await page.title(),
          broken: await brokenImages(page),
          inaccessible: await accessibilityProblems(page),
          overflow: await horizontalOverflow(page),
        }).toEqual({ path, status: 200, title, broken: [], inaccessible: [], overflow: 0 });
        await expectShell(frontend, page);
        await check(page);
      }
      await page.waitForLoadState('networkidle');
      expect(watch.problems).toEqual([]);
      await expectServedBy(frontend, watch.loaded);
    });

    test('its links lead through the shop', async () => {
      await using visit = await visitAs(frontend);
      const { page, watch } = visit;
      const plan = popularPlan();
      const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
      await page.goto(`${stack.url}/`);
      await isHydrated(frontend, page);
      await page.evaluate('window.sameDocument = true');

      const menu = page.getByRole('navigation', { name: 'Main' });
      await menu.getByRole('link', { name: 'Plans' }).click();
      await heading('Plans');
      expect(new URL(page.url()).pathname).toBe('/plans');
      await page.getByRole('link', { name: `${plan.name} details` }).click();
      await heading(plan.name);
      expect(new URL(page.url()).pathname).toBe(`/plans/${plan.id}`);
      await page.getByRole('link', { name: `Choose ${plan.name}` }).click();
      await heading('Sign up');
      expect(await page.getByLabel('Plan').inputValue()).toBe(plan.id);
      await page.goBack();
      await heading(plan.name);
      await menu.getByRole('link', { name: 'Home' }).click();
      await page.getByRole('link', { name: 'See plans' }).waitFor();

      const documents = watch.loaded.filter(({ kind }) => kind === 'document').length;
      const isOneDocument = frontend.hydrated !== undefined;
      expect(await page.evaluate('window.sameDocument === true')).toBe(isOneDocument);
      expect(documents).toBe(isOneDocument ? 1 : 6);
      await page.reload();
      expect(await page.locator('html').getAttribute('data-frontend')).toBe(frontend.name);
      await watch.idle();
      expect(watch.problems).toEqual([]);
      await expectServedBy(frontend, watch.loaded);
    });

    test.each([
      ['with', true],
      ['without', false],
    ])('its sign-up works %s JavaScript', async (_, javaScriptEnabled) => {
      await using visit = await visitAs(frontend, { javaScriptEnabled });
      const { page, watch } = visit;
      const reports = reportsOf(visitors[frontend.name]);
      const plan = popularPlan();
      const name = `Ada of ${frontend.name} ${javaScriptEnabled}`;
      const email = `ada.${frontend.name}.${javaScriptEnabled}@example.org`;
      await page.goto(`${stack.url}/sign-up`);
      if (javaScriptEnabled) await isHydrated(frontend, page);
      // axe-core is JavaScript too.
      const inaccessible = async () => (javaScriptEnabled ? accessibilityProblems(page) : []);

      await page.getByLabel('Full name').fill(name);
      await page.getByLabel('Email').fill('ada@nowhere');
      await page.getByLabel('Plan').selectOption(plan.id);
      await page.getByRole('button', { name: 'Sign up' }).click();
      await page.getByRole('alert').filter({ hasText: 'Enter an email address' }).waitFor();
      expect(await page.getByLabel('Full name').inputValue()).toBe(name);
      expect(await page.getByLabel('Email').inputValue()).toBe('ada@nowhere');
      expect(await page.getByLabel('Plan').inputValue()).toBe(plan.id);
      expect(await inaccessible()).toEqual([]);
      expect(signUpsOf(name)).toEqual([]);

      await page.getByLabel('Email').fill(email);
      await page.getByRole('button', { name: 'Sign up' }).click();
      const status = page.getByRole('status').filter({ hasText: `Welcome, ${name}` });
      await status.waitFor();
      expect(await status.textContent()).toContain(plan.name);
      expect(await inaccessible()).toEqual([]);
      expect(signUpsOf(name)).toMatchObject([
        {
          email,
          plan: plan.id,
          visitor: visitorId(visitors[frontend.name]),
          assignments: `home-redesign=${frontend.variant}`,
        },
      ]);
      await reports.until(1, { didConvert: true });
      expect(reports.of({ didConvert: true })).toMatchObject([
        {
          experiment: 'home-redesign',
          variant: frontend.variant,
          metric: 'signup',
          value: plan.price / 100,
          requestId: expect.any(String),
        },
      ]);
      await reports.untilCounted({ variant: frontend.variant, didConvert: true });
      await watch.idle();
      // The refusal is one of HTTP too, where a page or an API answered it.
      expect(watch.problems.filter((problem) => !problem.includes('422'))).toEqual([]);
    });

    test('a visit without a sign-up is told, also when the network was away', async () => {
      const { [frontend.name]: cookie } = await visitorOfEachFrontend(stack.url);
      await using visit = await visitAs(frontend, { cookie });
      const { context, page } = visit;
      const reports = reportsOf(cookie);
      await page.goto(stack.url + frontend.mount);
      await isHydrated(frontend, page);
      await page.goto(`${stack.url}/`);
      await isHydrated(frontend, page);
      await context.setOffline(true);
      await page.waitForFunction('!navigator.onLine');
      await page.goto('about:blank');
      await page.close();
      await context.setOffline(false);

      // The next visit tells of the last one.
      const later = await context.newPage();
      const watch = watchPage(later, stack.url);
      await later.goto(`${stack.url}/sign-up`);
      await isHydrated(frontend, later);
      await reports.until(1, { didConvert: false });
      await reports.untilCounted({ variant: frontend.variant, didConvert: false });
      // Where the browser tells the edge itself, that fails as well, for now.
      const endpoint = '**/_turnout/v1/events';
      await context.route(endpoint, (route) => route.abort('internetdisconnected'));
      await signUp(later, `Grace of ${frontend.name}`);
      await watch.idle();
      await later.goto('about:blank');
      await context.unroute(endpoint);
      await later.goto(`${stack.url}/`);
      await reports.until(1, { didConvert: true });
      await reports.untilCounted({ variant: frontend.variant, didConvert: true });
      await watch.idle();
      await later.goto('about:blank');

      const about = { experiment: 'home-redesign', variant: frontend.variant, metric: 'signup' };
      expect(reports.of({ didConvert: true })).toMatchObject([
        { ...about, value: popularPlan().price / 100 },
      ]);
      // Of each of the two visits at most one; where a form leads to a new page, that leaves one too.
      const without = reports.of({ didConvert: false });
      expect(without.length).toBeLessThanOrEqual(2);
      for (const result of without) expect(result).toMatchObject({ ...about, value: null });
      expect(watch.problems.filter((problem) => !problem.includes('DISCONNECTED'))).toEqual([]);
    });

    test('a plan that is none gets a 404 page of its own', async () => {
      const path = `${stack.url}/plans/albatross`;
      const cookie = visitors[frontend.name];
      const answer = await send(path, { ...NAVIGATION, cookie });
      expect(answer.status).toBe(404);
      // In the document itself: there without JavaScript too.
      expect(answer.text).toContain(`data-frontend="${frontend.name}"`);
      expect(answer.text).toMatch(/<h1[\s>]/);

      await using visit = await visitAs(frontend);
      const { page, watch } = visit;
      await page.goto(path);
      await isHydrated(frontend, page);
      await expectShell(frontend, page);
      expect(await accessibilityProblems(page)).toEqual([]);
      // The status itself, which the console repeats.
      expect(watch.problems.filter((problem) => !problem.includes('404'))).toEqual([]);
    });

    test(`${frontend.mount} reports nothing of a visitor, not even a sign-up`, async () => {
      const { [frontend.name]: cookie } = await visitorOfEachFrontend(stack.url);
      await using visit = await visitAs(frontend, { cookie });
      const { context, page } = visit;
      const reports = reportsOf(cookie);
      await page.goto(`${stack.url}${frontend.mount}/sign-up`);
      await isHydrated(frontend, page);
      await signUp(page, `Edith of ${frontend.name}`);
      await page.goto('about:blank');
      // What comes now comes after all that should not be there.
      const now = { event_id: randomUUID(), metric: 'now', did_convert: true };
      const answer = await context.request.post(`${stack.url}/_turnout/v1/events`, {
        data: { events: [now] },
      });
      expect(answer.status()).toBe(202);
      await reports.until(1, { metric: 'now' });
      expect(reports.of({})).toHaveLength(1);
    });

    test(`${frontend.mount} shows it to anyone, and counts nobody`, async () => {
      const before = await counted();
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const watch = watchPage(page, stack.url);
        const plan = popularPlan();
        const menu = page.getByRole('navigation', { name: 'Main' });
        await page.goto(stack.url + frontend.mount);
        await isHydrated(frontend, page);
        await expectShell(frontend, page);
        await expectLinksBelow(frontend.mount, page);
        await menu.getByRole('link', { name: 'Plans' }).click();
        await page.getByRole('heading', { level: 1, name: 'Plans' }).waitFor();
        await expectLinksBelow(frontend.mount, page);
        await page.getByRole('link', { name: `${plan.name} details` }).click();
        await page.getByRole('heading', { level: 1, name: plan.name }).waitFor();
        await expectLinksBelow(frontend.mount, page);
        await page.getByRole('link', { name: `Choose ${plan.name}` }).click();
        await page.getByLabel('Full name').fill(`Guest of ${frontend.name}`);
        await page.getByLabel('Email').fill('guest@example.org');
        await page.getByRole('button', { name: 'Sign up' }).click();
        await page.getByRole('status').filter({ hasText: 'Welcome, Guest of' }).waitFor();
        expect(new URL(page.url()).pathname).toBe(`${frontend.mount}/sign-up`);
        await expectLinksBelow(frontend.mount, page);
        await page.waitForLoadState('networkidle');

        expect(watch.problems).toEqual([]);
        await expectServedBy(frontend, watch.loaded);
        expect(signUpsOf(`Guest of ${frontend.name}`)).toMatchObject([
          { visitor: null, assignments: null },
        ]);
        const cookies = await context.cookies();
        expect(cookies.map(({ name }) => name)).not.toContain('turnout');
      } finally {
        await context.close();
      }
      expect(await counted()).toEqual(before);
    });
  });

  test('the picture of Next.js comes in the size that the screen needs', async () => {
    await using visit = await visitAs(FRONTENDS[1], { viewport: { width: 375, height: 800 } });
    await visit.page.goto(`${stack.url}/`, { waitUntil: 'load' });
    const { url, width } = await visit.page.evaluate<{ url: string; width: number }>(
      `(({ currentSrc, naturalWidth }) => ({ url: currentSrc, width: naturalWidth }))(
        document.querySelector('main img'),
      )`,
    );
    const source = new URL(url);
    expect(source.pathname).toBe('/_mfe/next/_next/image');
    expect(Number(source.searchParams.get('w'))).toBeLessThan(800);
    expect(width).toBeGreaterThan(300);
  });

  test('an editor logs in to WordPress, and then sees WordPress at the front door', async () => {
    await using visit = await visitAs(FRONTENDS[1]);
    const { page, watch } = visit;
    const { user, password }: { user: string; password: string } = JSON.parse(
      readFileSync(join(stack.dataDir, 'wordpress-admin.json'), 'utf8'),
    );
    expect(user).toBe('admin');
    expect(password).toMatch(/^.{16,}$/);
    await page.goto(`${stack.url}/`);
    expect(await page.locator('html').getAttribute('data-frontend')).toBe('next');

    await page.goto(`${stack.url}/wp-admin/`);
    expect(new URL(page.url()).pathname).toBe('/wp-login.php');
    await page.getByLabel('Username or Email Address').fill(user);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log In' }).click();
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/wp-admin/');
    await page.goto(`${stack.url}/wp-admin/plugins.php`);
    await page.getByRole('heading', { level: 1, name: 'Plugins' }).waitFor();

    await page.goto(`${stack.url}/`);
    expect(await page.locator('html').getAttribute('data-frontend')).toBe('wordpress');
    expect(await page.getByText('Howdy').count()).toBeGreaterThan(0);
    expect(watch.loaded.filter(({ status }) => status >= 400)).toEqual([]);
    expect(watch.problems.filter((problem) => problem.includes('another origin'))).toEqual([]);
  });
});

/** `turnout=1.<id>.<mirror>.<mac>` */
function visitorId(cookie: string): string | undefined {
  return cookie.split('=', 2)[1]?.split('.')[1];
}

/** A row of `test_results`. */
interface StoredResult {
  readonly experiment: unknown;
  readonly variant: unknown;
  readonly metric: unknown;
  readonly didConvert: boolean;
  readonly value: unknown;
  readonly requestId: unknown;
}

/** What of a visitor comes to SQL from now on. */
function reportsOf(cookie: string) {
  const visitor = visitorId(cookie) ?? '';
  const earlier = new Set(storedResults(visitor).keys());
  const of = (wanted: Partial<StoredResult>) =>
    [...storedResults(visitor)]
      .filter(([eventId]) => !earlier.has(eventId))
      .map(([, result]) => result)
      .filter((result) =>
        Object.entries(wanted).every(
          ([name, value]) => value === new Map(Object.entries(result)).get(name),
        ),
      );
  return {
    of,
    /** Waits for as many that are like that. */
    until: (count: number, wanted: Partial<StoredResult>) =>
      expect.poll(() => of(wanted).length).toBe(count),
    /** Waits until the visitor is counted like that. */
    untilCounted: (wanted: CountedVisitor) =>
      expect.poll(() => countedVisitor(visitor)).toEqual(wanted),
  };
}

/** By event id. */
function storedResults(visitor: string): Map<unknown, StoredResult> {
  const rows = askApiDatabase(
    `SELECT event_id, experiment, variant, metric, did_convert, value, request_id
     FROM test_results WHERE session_id = ?`,
    visitor,
  );
  return new Map(
    rows.map(({ event_id: eventId, did_convert: didConvert, request_id: requestId, ...row }) => [
      eventId,
      {
        experiment: row['experiment'],
        variant: row['variant'],
        metric: row['metric'],
        didConvert: didConvert === 1,
        value: row['value'],
        requestId,
      },
    ]),
  );
}

/** The one result of a visitor that counts for sign-ups, and the variant that it counts for. */
interface CountedVisitor {
  readonly variant: unknown;
  readonly didConvert: boolean;
}

function countedVisitor(visitor: string): CountedVisitor | undefined {
  const [row] = askApiDatabase(
    `SELECT v.assigned, r.did_convert
     FROM experiment_visitors v JOIN visitor_results r USING (experiment, phase, session_id)
     WHERE session_id = ? AND experiment = 'home-redesign' AND metric = 'signup'`,
    visitor,
  );
  return row && { variant: row['assigned'], didConvert: row['did_convert'] === 1 };
}

/** Asks the API's database past the API. */
function askApiDatabase(sql: string, value: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(stack.dataDir, 'product.sqlite'), { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all(value)
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

/** Fills in the form of the sign-up page, and sees the welcome. */
async function signUp(page: Page, name: string): Promise<void> {
  await page.getByLabel('Full name').fill(name);
  await page.getByLabel('Email').fill('somebody@example.org');
  await page.getByLabel('Plan').selectOption(popularPlan().id);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page
    .getByRole('status')
    .filter({ hasText: `Welcome, ${name}` })
    .waitFor();
}

interface Visit extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly watch: PageWatch;
}

/** A browser window of the frontend's visitor, or of another one whose cookie is given. */
async function visitAs(
  frontend: Frontend,
  { cookie, ...options }: BrowserContextOptions & { cookie?: string } = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  const value = (cookie ?? visitors[frontend.name]).slice('turnout='.length);
  await context.addCookies([{ name: 'turnout', value, url: stack.url }]);
  const page = await context.newPage();
  return {
    context,
    page,
    watch: watchPage(page, stack.url),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

async function isHydrated({ hydrated }: Frontend, page: Page): Promise<void> {
  if (hydrated !== undefined) await page.waitForFunction(hydrated);
}

function popularPlan(): Plan {
  const plan = plans.find(({ popular }) => popular);
  if (!plan) throw new Error('Expected a popular plan');
  return plan;
}

/** What every page has around its content. */
async function expectShell({ name, label }: Frontend, page: Page): Promise<void> {
  expect(await page.locator('html').getAttribute('data-frontend')).toBe(name);
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
  const menu = page.getByRole('navigation', { name: 'Main' });
  expect(await menu.getByRole('link').allInnerTexts()).toEqual(['Home', 'Plans', 'Sign up']);
  expect(await page.getByRole('contentinfo').innerText()).toContain(
    `This page is served by ${label}`,
  );
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent.trim()')).toMatch(/^Skip to /);
  const icon = await page.locator('link[rel~="icon"]').first().getAttribute('href');
  const answer = await send(new URL(icon ?? '', page.url()).href, {});
  expect([answer.status, answer.headers['content-type']]).toEqual([
    200,
    expect.stringMatching(/^image\//),
  ]);
}

async function expectHome(page: Page): Promise<void> {
  expect(await page.getByRole('link', { name: 'See plans' }).count()).toBe(1);
  expect(await page.getByRole('article').count()).toBe(3);
}

async function expectPlans(page: Page): Promise<void> {
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Plans');
  const articles = page.getByRole('article');
  expect(await articles.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(
    plans.map(({ name }) => name),
  );
  for (const [index, { id, name, price, data }] of plans.entries()) {
    const article = articles.nth(index);
    const text = await article.innerText();
    expect(text).toContain(`€${price / 100}`);
    expect(text).toContain(data === null ? 'Unlimited' : `${data} GB`);
    const link = article.getByRole('link', { name: `${name} details` });
    expect(await link.getAttribute('href')).toBe(`/plans/${id}`);
  }
}

async function expectPlan(page: Page): Promise<void> {
  const { id, name, price, highlights } = popularPlan();
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(name);
  const text = await page.getByRole('main').innerText();
  expect(text).toContain(`€${price / 100}`);
  for (const highlight of highlights) expect(text).toContain(highlight);
  const link = page.getByRole('link', { name: `Choose ${name}` });
  expect(await link.getAttribute('href')).toBe(`/sign-up?plan=${id}`);
}

async function expectSignUp(page: Page): Promise<void> {
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Sign up');
  expect(await page.getByLabel('Full name').inputValue()).toBe('');
  expect(await page.getByLabel('Email').inputValue()).toBe('');
  expect(await page.getByLabel('Plan').inputValue()).toBe(popularPlan().id);
  const choices = page.getByLabel('Plan').locator('option:not([value=""])');
  expect(await choices.count()).toBe(plans.length);
}

/** Pictures that did not decode; those further down load when they are scrolled to. */
async function brokenImages(page: Page): Promise<string[]> {
  await page.waitForLoadState('load');
  const broken = await page.evaluate<string[]>(
    `[...document.images]
      .filter((image) => image.loading !== 'lazy' && image.naturalWidth === 0)
      .map((image) => image.currentSrc || image.src)`,
  );
  return broken;
}

async function expectLinksBelow(mount: string, page: Page): Promise<void> {
  const paths = await page.evaluate<string[]>(
    `[...document.querySelectorAll('a[href]')]
      .filter((link) => !link.getAttribute('href').startsWith('#'))
      .map((link) => new URL(link.href).pathname)`,
  );
  expect(paths.length).toBeGreaterThan(3);
  expect(paths.filter((path) => path !== mount && !path.startsWith(`${mount}/`))).toEqual([]);
}

/** By the edge's own log: pages and assets came from this frontend's server, data from the API. */
async function expectServedBy(
  frontend: Frontend,
  loaded: readonly LoadedResource[],
): Promise<void> {
  const wanted = loaded
    .filter(({ url }) => url.protocol === 'http:')
    .map(({ url, requestId }) => ({ path: url.pathname, requestId }));
  expect(wanted.length).toBeGreaterThan(1);
  let upstreams = new Map<unknown, unknown>();
  await expect
    .poll(async () => {
      upstreams = await upstreamsByRequest();
      return wanted.filter(({ requestId }) => !upstreams.has(requestId));
    })
    .toEqual([]);
  const strangers = wanted
    .map(({ path, requestId }) => ({ path, upstream: upstreams.get(requestId) }))
    .filter(({ path, upstream }) => upstream !== upstreamFor(path, frontend));
  expect(strangers).toEqual([]);
}

function upstreamFor(path: string, frontend: Frontend): string | undefined {
  // The edge's own.
  if (path.startsWith('/_turnout/')) return undefined;
  return path.startsWith('/api/') ? 'api' : frontend.name;
}

async function upstreamsByRequest(): Promise<Map<unknown, unknown>> {
  const log = await stack.log('edge');
  return new Map(
    log
      .split('\n')
      .filter((line) => line.endsWith('"msg":"request"}'))
      .map((line) => {
        const entry: Record<string, unknown> = JSON.parse(line);
        return [entry['id'], entry['upstream']];
      }),
  );
}

/** What the API has stored, besides the name. */
function signUpsOf(name: string): unknown[] {
  return askApiDatabase(
    'SELECT email, plan, visitor, assignments FROM sign_ups WHERE name = ?',
    name,
  );
}

/** What counts visitors: none of it may move when nobody is to be counted. */
async function counted() {
  const text = await stack.metrics();
  return {
    assignments: metricValue(text, 'turnout_assignments_total'),
    minted: metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'minted' }),
    visitors: metricValue(text, 'turnout_unique_visitors'),
    requests: metricValue(text, 'turnout_requests_total', { experiment: 'home-redesign' }),
  };
}
