import type { IncomingHttpHeaders } from 'node:http';

/** Whether a browser sent the request for a page, by the headers that only browsers send. */
export function isFromPage(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/**
 * Whether a request may change something: it comes from a page of this very origin, or from no
 * page at all. Browsers tell by Fetch Metadata and by Origin, which no page can forge; what
 * sends neither is no browser (a frontend's server, curl), and has a cookie only if it was given
 * one.
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host } = headers;
  if (origin === undefined) return true;
  // The scheme is not compared: TLS may end in front of us.
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
