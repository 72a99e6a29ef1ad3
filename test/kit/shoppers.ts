import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type Dispatcher } from 'undici';
import { NAVIGATION } from './http.ts';
import type { ExpectedCounts } from './tracked-visitors.ts';

/**
 * What visitors of a shop do by HTTP, and what they were answered. Each opens a page, as whom
 * the cookie makes them; some sign up, most leave and say so, some only read another page or
 * say nothing at all. Like a browser and our client, they try again when they got no answer,
 * and report the same event then.
 */
export interface Shoppers {
  /** Those who were answered all that they asked for. */
  readonly done: readonly Shopper[];
  /** Pages that broke off before the visitor knew who they are. */
  readonly brokenFirstPages: number;
  /** Requests that were not answered, or with an error, and were made again. */
  readonly retries: number;
  /** Lets so many come, as many at a time as there are connections. */
  come(count: number): Promise<void>;
  /** Resolves when so many are done, all in all. */
  reached(count: number): Promise<void>;
  /** All who never reported anything open one more page. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export interface Shopper {
  /** The visitor id. */
  readonly id: string;
  readonly cookie: string;
  /** Of whose pages they got. */
  readonly variant: string;
  /** What they reported, in order; each was answered 202. */
  readonly reports: readonly ShopperReport[];
  /** Whether any request held their cookie. */
  cameBack: boolean;
}

interface ShopperReport {
  readonly eventId: string;
  readonly requestId: string;
  readonly didConvert: boolean;
}

export interface ShoppersOptions {
  /** The edge. */
  readonly url: string;
  /** How many of a variant's visitors sign up, from 0 to 1. */
  readonly rates: Readonly<Record<string, number>>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly newEventId: () => string;
  readonly connections?: number;
}

/** Of those who do not sign up: leave in silence, or after another page; the others tell. */
const SILENT = 0.1;
const READING = 0.1;
/** Of those who sign up: have left once before, and told. */
const HESITANT = 0.3;
/** Milliseconds until an unanswered request is made again, and how often that is done. */
const PAUSE = 50;
const ATTEMPTS = 600;

interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
}

export function createShoppers(options: ShoppersOptions): Shoppers {
  const { url, rates, random, newEventId, connections = 48 } = options;
  const pool = new Pool(url, { connections, bodyTimeout: 60_000, headersTimeout: 60_000 });
  const done: Shopper[] = [];
  const waiting = new Set<{ count: number; resolve: () => void }>();
  const counts = { brokenFirstPages: 0, retries: 0 };

  /** One request, until it is answered with what is wanted. */
  async function ask(
    request: () => Dispatcher.RequestOptions,
    wanted: number,
    onBroken: () => void = () => {},
  ): Promise<Answer> {
    let last: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        const { statusCode: status, headers, body } = await pool.request(request());
        const text = await body.text();
        if (status === wanted) return { status, headers, text };
        last = `${status} ${text}`;
        onBroken();
      } catch (error) {
        last = error;
        if (!isRefused(error)) onBroken();
      }
      counts.retries += 1;
      await sleep(PAUSE);
    }
    throw new Error(`Expected ${wanted} within ${ATTEMPTS} attempts, got ${String(last)}`);
  }

  function openPage(cookie: string | undefined, onBroken?: () => void): Promise<Answer> {
    const headers = { ...NAVIGATION, ...(cookie !== undefined && { cookie }) };
    return ask(() => ({ method: 'GET', path: '/', headers }), 200, onBroken);
  }

  async function report(cookie: string, sent: ShopperReport): Promise<void> {
    const event = {
      event_id: sent.eventId,
      request_id: sent.requestId,
      metric: 'signup',
      did_convert: sent.didConvert,
    };
    const headers = { cookie, 'content-type': 'application/json' };
    const body = JSON.stringify({ events: [event] });
    await ask(() => ({ method: 'POST', path: '/_turnout/v1/events', headers, body }), 202);
  }

  async function shop(): Promise<void> {
    // Before anything else, so that the order of the answers changes nobody's mind.
    const [signsUp, leaves, hesitates] = [random(), random(), random()];
    const page = await openPage(undefined, () => (counts.brokenFirstPages += 1));
    const cookie = cookieOf(page);
    const variant = page.text;
    const reports: ShopperReport[] = [];
    const requestId = String(page.headers['x-request-id']);
    const tell = (didConvert: boolean): void =>
      void reports.push({ eventId: newEventId(), requestId, didConvert });

    const isSignUp = signsUp < (rates[variant] ?? 0);
    if (isSignUp ? hesitates < HESITANT : leaves >= SILENT + READING) tell(false);
    if (isSignUp) tell(true);
    for (const sent of reports) await report(cookie, sent);
    const reads = reports.length === 0 && leaves >= SILENT;
    if (reads) await expectSame(cookie, variant);
    const id = cookie.split('.')[1] ?? '';
    done.push({ id, cookie, variant, reports, cameBack: reads || reports.length > 0 });
    for (const one of waiting) if (done.length >= one.count) one.resolve();
  }

  async function expectSame(cookie: string, variant: string): Promise<void> {
    const { text } = await openPage(cookie);
    if (text !== variant) throw new Error(`Expected a page of ${variant}, got one of ${text}`);
  }

  /** As many at a time as there are connections. */
  async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>) {
    const left = items.values();
    await Promise.all(
      Array.from({ length: connections }, async () => {
        for (const item of left) await work(item);
      }),
    );
  }

  return {
    done,
    get brokenFirstPages() {
      return counts.brokenFirstPages;
    },
    get retries() {
      return counts.retries;
    },
    come: (count) => each(Array.from({ length: count }), shop),
    reached: (count) =>
      new Promise((resolve) => {
        if (done.length >= count) resolve();
        else waiting.add({ count, resolve });
      }),
    comeBack: () =>
      each(
        done.filter((shopper) => !hasReported(shopper)),
        async (shopper) => {
          await expectSame(shopper.cookie, shopper.variant);
          shopper.cameBack = true;
        },
      ),
    close: () => pool.close(),
  };
}

/** While no worker listens. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

function cookieOf({ headers }: Answer): string {
  const cookies = [headers['set-cookie'] ?? []].flat();
  const own = cookies.find((cookie) => cookie.startsWith('turnout='));
  if (own === undefined) throw new Error('Expected the first page to set the visitor cookie');
  return own.split(';', 1)[0] ?? '';
}

/** What is to be counted, by variant: of them, and of strangers who only saw a page. */
export function countsOf(
  shoppers: readonly Shopper[],
  strangers: readonly string[],
): Map<string, ExpectedCounts> {
  const variants = [...new Set([...shoppers.map(({ variant }) => variant), ...strangers])];
  return new Map(
    variants.toSorted().map((variant) => {
      const own = shoppers.filter((shopper) => shopper.variant === variant);
      const conversions = own.filter(hasConverted).length;
      return [
        variant,
        {
          exposed: own.length + strangers.filter((stranger) => stranger === variant).length,
          confirmed: own.filter(({ cameBack }) => cameBack).length,
          reported: own.filter(hasReported).length,
          conversions,
          confirmedConversions: conversions,
        },
      ];
    }),
  );
}

export function hasReported({ reports }: Shopper): boolean {
  return reports.length > 0;
}

export function hasConverted({ reports }: Shopper): boolean {
  return reports.some(({ didConvert }) => didConvert);
}
