/** What the connection says of its client, before any header is believed. */
export interface Client {
  /** Address of the peer, e.g. `203.0.113.7`, `::1` or `::ffff:203.0.113.7`. */
  address: string;
  /** The Host field as received; undefined if there was none (HTTP/1.0). */
  host: string | undefined;
  proto: 'http' | 'https';
}

const mappedIPv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A dual-stack socket's `::ffff:203.0.113.7` is the IPv4 client `203.0.113.7`. */
export function plainAddress(address: string): string {
  // The first character decides for nearly all addresses.
  if (address.charCodeAt(0) !== 58 /* : */) return address;
  return mappedIPv4.exec(address)?.[1] ?? address;
}

/**
 * The value of `Forwarded` (RFC 7239 section 4) for one hop.
 *
 * An IPv6 address is bracketed and quoted; anything that is no token is quoted.
 */
export function forwardedElement(client: Client): string {
  const address = plainAddress(client.address);
  const node = address.includes(':') ? `"[${address}]"` : address === '' ? 'unknown' : address;
  const host = client.host === undefined ? '' : `;host=${tokenOrQuoted(client.host)}`;
  return `for=${node}${host};proto=${client.proto}`;
}

function tokenOrQuoted(value: string): string {
  return token.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
