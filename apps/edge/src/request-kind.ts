import type { IncomingHttpHeaders } from 'node:http';

/**
 * - `navigation`: a person opens a page. The only kind that mints a visitor.
 * - `prefetch`: a page fetched in case it is opened.
 * - `subresource`: what a page loads, or what a script fetches.
 * - `health-check`: a load balancer or an orchestrator sees whether we answer.
 */
export type RequestKind = 'navigation' | 'prefetch' | 'subresource' | 'health-check';

/**
 * How health checks name themselves: those of AWS, Azure, Cloudflare, Consul, Envoy, Google,
 * Kubernetes and nginx. Each would be a visitor of its own who never converts, every few seconds.
 */
const HEALTH_CHECK =
  /health[ -]?(?:check|probe)|^kube-probe\/|^GoogleHC\/|^Envoy\/HC|^Load Balancer Agent|Traffic Manager/i;

/**
 * Tells navigations from the rest by the Fetch Metadata headers, which every
 * current browser sends and no page can forge. A client without them (curl, a
 * crawler) navigates when it would take HTML and the path does not look like a
 * file, unless it says that it only checks our health. Who says so falsely
 * wins nothing: they are told apart from nobody, and counted nowhere.
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
  if (HEALTH_CHECK.test(headers['user-agent'] ?? '')) return 'health-check';
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
