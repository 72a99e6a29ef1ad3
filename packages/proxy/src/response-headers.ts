import { addNominated, isHopByHop } from './hop-by-hop.ts';

export interface ResponseHeaderOptions {
  /** Status of the answer; 204 loses its Content-Length (RFC 9110 section 8.6). */
  status: number;
  /** The upstream's own origin, lower case, as in `Upstream.origin`. */
  upstreamOrigin: string;
  /** What clients call us: `<proto>://<host>`. */
  publicOrigin: string;
}

/**
 * The header fields that the client gets, as flat name/value pairs.
 *
 * Hop-by-hop fields stay behind (RFC 9110 section 7.6.1), and a Location on the upstream's
 * own origin moves to the public one. Order, case and duplicates of all others survive.
 *
 * @param rawHeaders flat name/value pairs; Buffers, as undici gives them, are read as latin1.
 */
export function responseHeaders(
  rawHeaders: readonly (string | Buffer)[],
  options: ResponseHeaderOptions,
): string[] {
  let nominated: Set<string> | undefined;
  let unframed = options.status === 204;
  const headers: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = text(rawHeaders[i]);
    const value = text(rawHeaders[i + 1]);
    const key = name.toLowerCase();
    if (isHopByHop(key)) {
      if (key === 'connection') nominated = addNominated(value, nominated);
      if (key === 'transfer-encoding') unframed = true;
      continue;
    }
    headers.push(name, key === 'location' ? publicLocation(value, options) : value);
  }
  // Rare, and known only once the whole head was read.
  return nominated !== undefined || unframed ? without(headers, nominated, unframed) : headers;
}

/** `value` on the public origin if it points at the upstream's own, else as it is. */
export function publicLocation(
  value: string,
  { upstreamOrigin, publicOrigin }: Pick<ResponseHeaderOptions, 'upstreamOrigin' | 'publicOrigin'>,
): string {
  // A path: stays relative. `//host` is not one.
  if (value.charCodeAt(0) === 47 && value.charCodeAt(1) !== 47) return value;
  const scheme = upstreamOrigin.startsWith('https:') ? 'https:' : 'http:';
  const authority = upstreamOrigin.slice(scheme.length);
  const schemeLength = value.slice(0, scheme.length).toLowerCase() === scheme ? scheme.length : 0;
  const start = value.slice(schemeLength, schemeLength + authority.length);
  if (start.toLowerCase() !== authority) return value;
  // The default port may be spelled out.
  const defaultPort = scheme === 'https:' ? /^:443(?=[/?#]|$)/ : /^:80(?=[/?#]|$)/;
  const rest = value.slice(schemeLength + authority.length).replace(defaultPort, '');
  // http://127.0.0.1:4001 is no part of http://127.0.0.1:40012 or http://127.0.0.1:4001.example
  return rest === '' || /^[/?#]/.test(rest) ? publicOrigin + rest : value;
}

function without(
  headers: readonly string[],
  nominated: Set<string> | undefined,
  unframed: boolean,
): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const key = name.toLowerCase();
    if (nominated?.has(key) || (unframed && key === 'content-length')) continue;
    kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

function text(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
