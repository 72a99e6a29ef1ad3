import { forwarded, forwardedFor } from './forwarded.ts';
import type { Client } from './forwarded.ts';
import { addNominated, isHopByHop } from './hop-by-hop.ts';

export interface RequestHeaderOptions {
  client: Client;
  /** What `Via` says of us: the protocol that the request came by, and our pseudonym. */
  via?: string;
  /** Drops more of what the client sent. Gets the name in lower case, `_` read as `-`. */
  drop?: (lowercaseName: string) => boolean;
  /** Flat name/value pairs added at the end. Nothing that the client sends can remove them. */
  append?: readonly string[];
}

/**
 * The header fields that an upstream gets, as flat name/value pairs.
 *
 * What is hop-by-hop (RFC 9110 section 7.6.1) stays behind, and so does every statement
 * about the client's address that the client made itself. Ours come instead, then the
 * caller's. Order, case and duplicates of all others survive. An expectation is for
 * `forward()` to pass on, which knows the connection that it is about.
 *
 * @param rawHeaders as in `IncomingMessage.rawHeaders`.
 */
export function requestHeaders(
  rawHeaders: readonly string[],
  options: RequestHeaderOptions,
): string[] {
  const { client, via, drop, append } = options;
  const nominated = nominatedBy(rawHeaders);
  const chunked = hasTransferEncoding(rawHeaders);
  const headers: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const key = canonicalName(name);
    if (isHopByHop(key)) {
      // Of TE, only the readiness for trailers is any upstream's business.
      if (key === 'te' && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value))
        headers.push(name, 'trailers');
      continue;
    }
    if (isClaim(key) || key === 'expect') continue;
    if (key === 'content-length' && (chunked || name.includes('_'))) continue; // RFC 9112 section 6.1
    if (key.startsWith('proxy-')) continue;
    if (nominated !== undefined && nominated.has(key)) continue;
    if (drop !== undefined && drop(key)) continue;
    headers.push(name, value);
  }
  headers.push('X-Forwarded-For', forwardedFor(client));
  if (client.host !== undefined) headers.push('X-Forwarded-Host', client.host);
  headers.push('X-Forwarded-Proto', client.proto, 'Forwarded', forwarded(client));
  if (via !== undefined) headers.push('Via', via);
  if (append !== undefined) headers.push(...append);
  return headers;
}

/**
 * Lower case, and `_` as `-`: CGI and PHP read `X_Forwarded_For` and `X-Forwarded-For` as
 * the same variable, so whoever drops one must drop the other.
 */
function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

/**
 * Who sent a request is not for the client to say. Nor is another path than the one that
 * routes were matched against: some frameworks believe X-Original-URL and X-Rewrite-URL.
 */
function isClaim(key: string): boolean {
  switch (key.charCodeAt(0)) {
    case 102 /* f */:
      return key === 'forwarded';
    case 120 /* x */:
      return (
        key.startsWith('x-forwarded') ||
        key === 'x-real-ip' ||
        key === 'x-original-url' ||
        key === 'x-rewrite-url'
      );
    default:
      return false;
  }
}

function nominatedBy(rawHeaders: readonly string[]): Set<string> | undefined {
  let nominated: Set<string> | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 10 && name.toLowerCase() === 'connection') {
      nominated = addNominated(rawHeaders[i + 1] ?? '', nominated);
    }
  }
  return nominated;
}

function hasTransferEncoding(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true;
  }
  return false;
}
