import type { IncomingHttpHeaders } from 'node:http';

/**
 * - `navigation`: a person opens a page. The only kind that mints a visitor.
 * - `prefetch`: a page fetched in case it is opened.
 * - `subresource`: what a page loads, or what a script fetches.
 */
export type RequestKind = 'navigation' | 'prefetch' | 'subresource';

/**
 * Tells navigations from the rest by the Fetch Metadata headers, which every
 * current browser sends and no page can forge. A client without them (curl, a
 * crawler) navigates when it would take HTML and the path does not look like a
 * file.
 *
 * @param path the normalised path
 */
export function requestKind(
  method: string | undefined,
  path: string,
  headers: IncomingHttpHeaders,
): RequestKind {
  if (isPrefetch(headers)) return 'prefetch';
  if (method !== 'GET' && method !== 'POST') return 'subresource';
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate' ? 'navigation' : 'subresource';
  // A client-side navigation of Next.js fetches the page as data.
  if (headers['rsc'] !== undefined) return 'subresource';
  const accept = headers.accept;
  if (accept === undefined || accept === '*/*')
    return looksLikeFile(path) ? 'subresource' : 'navigation';
  return accept.includes('text/html') ? 'navigation' : 'subresource';
}

function isPrefetch(headers: IncomingHttpHeaders): boolean {
  const purpose = headers['sec-purpose'] ?? headers['purpose'];
  if (purpose !== undefined && String(purpose).includes('prefetch')) return true;
  return headers['next-router-prefetch'] !== undefined;
}

/** Whether the last segment has an extension, such as `/logo.png`. */
function looksLikeFile(path: string): boolean {
  return path.lastIndexOf('.') > path.lastIndexOf('/');
}
