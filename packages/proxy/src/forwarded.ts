/** Who sent a request: as the connection says, or the trusted hops that it came through. */
export interface Client {
  /** An IP address, e.g. `203.0.113.7`, `::1` or `::ffff:203.0.113.7`. */
  address: string;
  /** Addresses of the trusted hops between the client and us, the client's neighbour first. */
  hops?: readonly string[];
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

/** The value of `X-Forwarded-For`: the client, then the hops. */
export function forwardedFor({ address, hops }: Client): string {
  const client = plainAddress(address);
  return hops === undefined ? client : [client, ...hops.map(plainAddress)].join(', ');
}

/** The value of `Forwarded` (RFC 7239 section 4): the client, then the hops. */
export function forwarded(client: Client): string {
  const { hops } = client;
  if (hops === undefined) return forwardedElement(client);
  return [forwardedElement(client), ...hops.map((hop) => `for=${nodeName(hop)}`)].join(', ');
}

/**
 * One element of `Forwarded`.
 *
 * An IPv6 address is bracketed and quoted; anything that is no token is quoted.
 */
export function forwardedElement(client: Client): string {
  const node = nodeName(client.address);
  const host = client.host === undefined ? '' : `;host=${tokenOrQuoted(client.host)}`;
  return `for=${node}${host};proto=${client.proto}`;
}

function nodeName(address: string): string {
  const plain = plainAddress(address);
  return plain.includes(':') ? `"[${plain}]"` : plain === '' ? 'unknown' : plain;
}

function tokenOrQuoted(value: string): string {
  return token.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
