import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page, type Request, type Response } from 'playwright-core';
import { chromium as chromiumProgram, findProgram } from '../../scripts/stack/system-programs.ts';

/** Where macOS has browsers, which is not in PATH. */
const MAC_PATHS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const MISSING =
  'No Chromium found. On Debian: apt-get install chromium; elsewhere name one: CHROMIUM_PATH=/path/chromium npm test.';

/**
 * Whether this machine has a Chromium, so that a test may be left out where there is none.
 * Under `CI=true` its absence is an error: there, nothing may go untested.
 */
export function hasChromium(): boolean {
  if (findChromium() !== undefined) return true;
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  process.stderr.write(`Browser tests are left out: ${MISSING}\n`);
  return false;
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  return findProgram(chromiumProgram.commands, { PATH }) ?? MAC_PATHS.find(existsSync);
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(MISSING);
  return chromium.launch({
    executablePath,
    args: [
      // Chromium's sandbox does not run as root, as containers do.
      '--no-sandbox',
      '--disable-gpu',
      // Nothing of the browser's own on the network.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** A response that a page got, as far as tests ask. */
export interface LoadedResource {
  readonly url: URL;
  readonly kind: string;
  readonly status: number;
  readonly contentType: string;
  /** The edge's X-Request-Id, by which its log knows the request. */
  readonly requestId: string | undefined;
}

/** All that a page did on the network, and all that went wrong in it. */
export interface PageWatch {
  readonly loaded: readonly LoadedResource[];
  /** Empty for a page in order. */
  readonly problems: readonly string[];
  /**
   * Resolves when nothing has been loading for half a second. Unlike Playwright's `networkidle`
   * it does not wait for a report of the page before, whose answer nobody hears of.
   */
  readonly idle: () => Promise<void>;
}

/** Milliseconds without any request after which a page is taken for loaded. */
const QUIET = 500;

/** What content type a resource of a kind must have: a page served for a script is the classic mix-up. */
const CONTENT_TYPES: Readonly<Record<string, RegExp>> = {
  script: /^(?:text|application)\/javascript\b/,
  stylesheet: /^text\/css\b/,
  image: /^image\//,
  font: /^(?:font\/|application\/font)/,
  document: /^text\/html\b/,
};

/**
 * Notes from now on: console errors and warnings, exceptions, failed requests, error
 * statuses, requests to any other origin, resources of the wrong content type.
 */
export function watchPage(page: Page, origin: string): PageWatch {
  const loaded: LoadedResource[] = [];
  const problems: string[] = [];
  const loading = new Set<Request>();
  let changed = performance.now();
  const end = (request: Request): void => {
    loading.delete(request);
    changed = performance.now();
  };
  page.on('requestfinished', end);
  page.on('requestfailed', end);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!isReport(url)) loading.add(request);
    changed = performance.now();
    if (url.origin !== origin && !['data:', 'blob:'].includes(url.protocol))
      problems.push(`request to another origin: ${url.href}`);
  });
  page.on('requestfailed', (request) => {
    if (!isExpectedAbort(request))
      problems.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText}`);
  });
  page.on('response', (response) => {
    const resource = describe(response);
    loaded.push(resource);
    const { url, kind, status, contentType } = resource;
    if (status >= 400) problems.push(`status ${status}: ${url.href}`);
    const expected = CONTENT_TYPES[kind];
    const hasBody = status === 200;
    if (hasBody && expected && !expected.test(contentType))
      problems.push(`${kind} of type "${contentType}": ${url.href}`);
  });
  const idle = async (): Promise<void> => {
    while (loading.size > 0 || performance.now() - changed < QUIET) await setTimeout(QUIET / 10);
  };
  return { loaded, problems, idle };
}

/**
 * What Chromium reports as failed although all is in order: a prefetch of Next.js that a
 * navigation has overtaken; a server action whose streamed answer ended with a new page; the
 * answer to a report that has outlived its page; the icon of a page that was left; a script where JavaScript is turned off (`csp`; what a policy of ours forbids, the console
 * tells as well).
 */
function isExpectedAbort(request: Request): boolean {
  const reason = request.failure()?.errorText;
  if (reason === 'csp') return request.resourceType() === 'script';
  const url = new URL(request.url());
  const isPrefetch = url.searchParams.has('_rsc');
  const isIcon = url.pathname.endsWith('/favicon.svg');
  const isServerAction =
    request.method() === 'POST' && request.headers()['next-action'] !== undefined;
  return reason === 'net::ERR_ABORTED' && (isPrefetch || isServerAction || isIcon || isReport(url));
}

/** Whether a request tells the edge what a visitor did. */
function isReport({ pathname }: URL): boolean {
  return pathname === '/_turnout/v1/events';
}

function describe(response: Response): LoadedResource {
  const headers = response.headers();
  return {
    url: new URL(response.url()),
    kind: response.request().resourceType(),
    status: response.status(),
    contentType: headers['content-type'] ?? '',
    requestId: headers['x-request-id'],
  };
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let axeSource: string | undefined;

/** What axe-core finds wrong, of any impact, as `rule (impact): selectors`. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  axeSource ??= await readFile(AXE, 'utf8');
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
  return violations.map(
    ({ id, impact, nodes }) =>
      `${id} (${impact}): ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}

/** By how many CSS pixels the page is wider than its window. */
export function horizontalOverflow(page: Page): Promise<number> {
  return page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}
