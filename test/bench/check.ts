import { PAGE } from './page.ts';
import { firstVisits, visit } from './visit.ts';

/** A variant and its weight in percent. */
interface Share {
  readonly key: string;
  readonly weight: number;
}

export interface ProxyCheck {
  readonly url: string;
  readonly experiment: { readonly key: string; readonly variants: readonly Share[] };
  /** How many visitors to make. */
  readonly visitors: number;
  readonly signal: AbortSignal;
}

/** How often a returning visitor is looked at. */
const RETURNS = 5;
/** Standard deviations that a variant's share may be off: 5 is one false alarm in 1.7 million. */
const DEVIATIONS = 5;

/**
 * Whether the page is answered, byte for byte.
 *
 * @throws {Error} saying what was expected and what came
 */
export async function checkPage(url: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { headers: { Accept: 'text/html' }, signal });
  const body = await response.text();
  expectSame(url, 'the status', response.status, 200);
  expectSame(url, 'the size of the page in bytes', Buffer.byteLength(body), PAGE.length);
  if (body !== PAGE) throw new Error(`${url}: expected the page, got other bytes`);
}

/**
 * Whether a proxy does the whole job: the page, forwarding headers, new visitors in the
 * experiment's shares, returning ones where they were.
 *
 * @returns cookies of the visitors it made, `name=value`
 * @throws {Error} saying what was expected and what came
 */
export async function checkProxy(check: ProxyCheck): Promise<readonly string[]> {
  const { url, signal } = check;
  await checkPage(url, signal);

  const first = await visit(url, undefined, signal);
  checkForwarding(url, first.received);
  if (first.cookie === undefined) {
    throw new Error(`${url}: expected a first visit to set a cookie, got none`);
  }
  for (let i = 0; i < RETURNS; i++) {
    const again = await visit(url, first.cookie, signal);
    expectSame(url, 'the variant of a returning visitor', again.assignment, first.assignment);
    expectSame(url, 'the cookie set for a returning visitor', again.cookie, undefined);
  }

  const visits = await firstVisits(url, check.visitors, signal);
  checkShares(
    url,
    visits.map(({ assignment }) => assignment),
    check.experiment,
  );
  return [...new Set(visits.flatMap(({ cookie }) => cookie ?? []))];
}

function checkForwarding(url: string, received: Readonly<Record<string, string>>): void {
  const { host } = new URL(url);
  expectSame(url, 'Host at the origin', received['host'], host);
  expectSame(url, 'X-Forwarded-For at the origin', received['x-forwarded-for'], '127.0.0.1');
  expectSame(url, 'X-Forwarded-Host at the origin', received['x-forwarded-host'], host);
  expectSame(url, 'X-Forwarded-Proto at the origin', received['x-forwarded-proto'], 'http');
  if (!received['x-request-id']) {
    throw new Error(`${url}: expected X-Request-Id at the origin, got none`);
  }
}

function checkShares(
  url: string,
  assignments: readonly (string | undefined)[],
  { key, variants }: ProxyCheck['experiment'],
): void {
  for (const variant of variants) {
    const wanted = variant.weight / 100;
    const got =
      assignments.filter((assignment) => assignment === `${key}=${variant.key}`).length /
      assignments.length;
    const tolerance = DEVIATIONS * Math.sqrt((wanted * (1 - wanted)) / assignments.length);
    if (Math.abs(got - wanted) <= tolerance) continue;
    const percent = (got * 100).toFixed(1);
    throw new Error(
      `${url}: expected ${variant.weight} % of ${assignments.length} visitors in ${variant.key}, got ${percent} %`,
    );
  }
}

function expectSame(url: string, what: string, got: unknown, wanted: unknown): void {
  if (got === wanted) return;
  throw new Error(`${url}: expected ${what} to be ${String(wanted)}, got ${String(got)}`);
}
