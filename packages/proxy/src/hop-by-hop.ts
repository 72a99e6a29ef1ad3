/*
 * Header fields that belong to one connection (RFC 9110 section 7.6.1) and end there.
 *
 * Which fields those are is partly the sender's word: `Connection: x` makes `x` one of
 * them. That word is not taken for the fields below, whose removal would change the
 * message's framing, meaning or author: a client must not be able to strip the cookie
 * that another hop relied on, nor a server its own Content-Type.
 */

const neverNominated = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'host',
  'location',
  'origin',
  'set-cookie',
  'vary',
  'via',
]);

/** True for a lower-case name that never crosses a hop, in either direction. */
export function isHopByHop(name: string): boolean {
  switch (name.length) {
    case 2:
      return name === 'te';
    case 5:
      // Not hop-by-hop, but CGI turns it into HTTP_PROXY, which many clients obey ("httpoxy").
      return name === 'proxy';
    case 7:
      return name === 'upgrade' || name === 'trailer';
    case 10:
      return name === 'connection' || name === 'keep-alive';
    case 16:
      return name === 'proxy-connection';
    case 17:
      return name === 'transfer-encoding';
    case 18:
      return name === 'proxy-authenticate';
    case 19:
      return name === 'proxy-authorization';
    case 25:
      return name === 'proxy-authentication-info';
    default:
      return false;
  }
}

/** Connection options that name no field. */
const connectionOptions = new Set(['close', 'keep-alive', 'upgrade', 'te', '']);

/**
 * Adds what a Connection field's value nominates, in lower case.
 *
 * @param nominated the names found so far; undefined as long as there are none, which is
 *   the case for nearly every message.
 */
export function addNominated(
  value: string,
  nominated: Set<string> | undefined,
): Set<string> | undefined {
  // The three values that nearly every sender uses.
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return nominated;
  let names = nominated;
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase();
    if (connectionOptions.has(name) || neverNominated.has(name)) continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}
