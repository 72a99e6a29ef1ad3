import { BlockList, isIP } from 'node:net';
import type { Config } from '@turnout/contracts';
import { compileHosts, normaliseHost } from '@turnout/router-core';

/**
 * Whose an address is: what visitors type, a server of ours that they should never hear of,
 * or somebody else's.
 */
type Place = 'public' | 'inner' | 'foreign';

export interface PublicSite {
  /** What visitors type: `public.url`, or the first of `public.hosts` with the port. */
  readonly origin: URL;
  /** Whether `public.url` says so. Else scheme and port are a guess. */
  readonly isStated: boolean;
  /** Whether a name that is not listed is answered, too. */
  readonly allowsAnyHost: boolean;
  placeOf(url: URL): Place;
}

export function createPublicSite({ public: open, upstreams }: Config): PublicSite {
  const listed = open.hosts.filter((host) => host !== '*');
  const exact = listed.find((host) => !host.startsWith('*.'));
  const first = exact ?? listed[0]?.replace('*', 'www') ?? 'localhost';
  const origin = new URL(open.url ?? `http://${first}:${open.port}`);
  const isListed = compileHosts([...listed, origin.hostname]);
  const inner = Object.values(upstreams).map(({ url }) => new URL(url));
  const isStated = open.url !== undefined;
  return {
    origin,
    isStated,
    allowsAnyHost: open.hosts.includes('*'),
    placeOf(url) {
      // With their ports: on one machine, all share a host name.
      if (isSameServer(url, origin)) return 'public';
      if (inner.some((upstream) => isSameServer(url, upstream))) return 'inner';
      if (isListed(normaliseHost(url.hostname))) {
        // A balancer in front may have the default ports, which only public.url would tell.
        const isPublicPort = portOf(url) === portOf(origin) || (!isStated && url.port === '');
        const isOtherScheme = isStated && url.port === '' && origin.port === '';
        return isPublicPort || isOtherScheme ? 'public' : 'inner';
      }
      if (inner.some(({ hostname }) => hostname === url.hostname)) return 'inner';
      return isPrivateName(url.hostname) ? 'inner' : 'foreign';
    },
  };
}

function isSameServer(a: URL, b: URL): boolean {
  return a.hostname === b.hostname && portOf(a) === portOf(b);
}

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}

/** Loopback, link-local and private addresses (RFC 1918, 4193, 3927). */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** Addresses, and names such as `next` or `shop.internal`, that no visitor can resolve. */
function isPrivateName(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family !== 0) return PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
  return !hostname.includes('.') || /\.(local|internal|localhost)$/.test(hostname);
}
