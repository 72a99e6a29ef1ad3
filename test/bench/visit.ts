import { request } from 'undici';
import { NAVIGATION } from './navigation.ts';
import { ECHO_PATH, type Echo } from './page.ts';

/** One visit, seen from both ends. */
export interface Visit {
  /** `name=value` of the cookie that the answer set. */
  readonly cookie: string | undefined;
  /** What the origin got, by lower-case name. */
  readonly received: Echo['headers'];
  /** `<experiment>=<variant>`, as the origin was told. */
  readonly assignment: string | undefined;
}

/** Opens the page behind which the origin answers what it got. */
export async function visit(
  url: string,
  cookie: string | undefined,
  signal: AbortSignal,
): Promise<Visit> {
  const { statusCode, headers, body } = await request(url + ECHO_PATH, {
    headers: { ...NAVIGATION, ...(cookie !== undefined && { Cookie: cookie }) },
    signal,
  });
  const text = await body.text();
  if (statusCode !== 200) {
    throw new Error(`${url}${ECHO_PATH}: expected the status to be 200, got ${statusCode}`);
  }
  const { headers: received }: Echo = JSON.parse(text);
  const [setCookie] = [headers['set-cookie'] ?? []].flat();
  return {
    cookie: setCookie?.split(';', 1)[0],
    received,
    assignment: received['x-turnout-assignments'],
  };
}

/** First visits at the same time while visitors are made. */
const AT_ONCE = 16;

/** Makes visitors by first visits to a contender. */
export async function firstVisits(
  url: string,
  count: number,
  signal: AbortSignal,
): Promise<readonly Visit[]> {
  const visits: Visit[] = [];
  const next = async () => {
    for (let left = count; left > 0; left -= AT_ONCE)
      visits.push(await visit(url, undefined, signal));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return visits;
}
