import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { plainAddress, type Client } from './forwarded.ts';

/**
 * Which fields the hops write. One kind alone is believed: a hop that writes one passes on
 * whatever a client wrote into the other.
 */
type ForwardingFields = 'x-forwarded' | 'forwarded';

export interface TrustedHopsOptions {
  /** Addresses and networks, such as `10.0.0.0/8`. */
  readonly addresses: readonly string[];
  readonly fields: ForwardingFields;
}

/** Tells who sent a request. */
export type ClientOf = (request: IncomingMessage) => Client;

/** Hops looked at in one request. */
const MAX_HOPS = 32;

const trust: unique symbol = Symbol('whether the peer of a connection is a trusted hop');
type KnownSocket = Socket & { [trust]?: boolean };

/**
 * Who sent a request. What it says of that itself counts only if it came by a trusted hop: then
 * the client is the last address in the chain that is not one of those, and the protocol the
 * one that the hop next to us tells of. Host is believed of nobody but the request itself, for
 * many hops pass X-Forwarded-Host on as a client wrote it.
 *
 * @throws TypeError for what is no address and no network
 */
export function createClientOf(options?: TrustedHopsOptions): ClientOf {
  if (options === undefined || options.addresses.length === 0) return directClient;
  const isTrusted = compileAddresses(options.addresses);
  const read = options.fields === 'forwarded' ? readForwarded : readXForwarded;
  return (request) => {
    const direct = directClient(request);
    const socket: KnownSocket = request.socket;
    if (!(socket[trust] ??= isTrusted(direct.address))) return direct;
    const told = read(request);
    // From us towards the client: as long as a hop is trusted, what it says of the one before is.
    const path = [direct.address];
    for (const address of told.chain.toReversed().slice(0, MAX_HOPS)) {
      if (address === '') break;
      path.push(address);
      if (!isTrusted(address)) break;
    }
    const [address = direct.address, ...hops] = path.toReversed();
    const client = { ...direct, address, proto: told.proto ?? direct.proto };
    return hops.length === 0 ? client : { ...client, hops };
  };
}

function directClient(request: IncomingMessage): Client {
  return {
    address: request.socket.remoteAddress ?? '',
    host: request.headers.host,
    proto: request.socket instanceof TLSSocket ? 'https' : 'http',
  };
}

function compileAddresses(addresses: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of addresses) {
    const [address = '', bits, ...rest] = text.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const longest = family === 'ipv6' ? 128 : 32;
    const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest);
    if (isIP(address) === 0 || !isPrefix || rest.length > 0) {
      throw new TypeError(
        `expected an address or network such as 10.0.0.0/8 or fd00::/8, got "${text}"`,
      );
    }
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}

interface Told {
  /** The client's neighbour last, as the fields have it. */
  readonly chain: string[];
  readonly proto: Client['proto'] | undefined;
}

function readXForwarded({ headers }: IncomingMessage): Told {
  const text = joined(headers['x-forwarded-for']);
  return {
    chain: text === '' ? [] : text.split(',').map((part) => addressOf(part.trim())),
    proto: protoOf(joined(headers['x-forwarded-proto']).split(',').at(-1)),
  };
}

/** RFC 7239 section 4. */
function readForwarded({ headers }: IncomingMessage): Told {
  const elements = [...joined(headers.forwarded).matchAll(ELEMENT)]
    .map(([element]) => new Map([...element.matchAll(PAIR)].map(pairOf)))
    .filter((pairs) => pairs.size > 0);
  return {
    chain: elements.map((pairs) => addressOf(pairs.get('for') ?? '')),
    proto: protoOf(elements.at(-1)?.get('proto')),
  };
}

const ELEMENT = /(?:"(?:[^"\\]|\\.)*"|[^,"])+/g;
const PAIR = /([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,"\s]*))/g;

function pairOf([, name = '', quoted, token = '']: RegExpMatchArray): [string, string] {
  return [name.toLowerCase(), quoted === undefined ? token : quoted.replace(/\\(.)/g, '$1')];
}

function joined(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

/** Without a port and brackets: `203.0.113.7:443`, `[2001:db8::1]:443`, `2001:db8::1`. */
function addressOf(text: string): string {
  const address = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(text);
  const plain = address?.[1] ?? address?.[2] ?? text;
  // What is no address (`unknown`, `_hidden`, a lie) is passed to nobody.
  return isIP(plain) === 0 ? '' : plain;
}

function protoOf(text: string | undefined): Client['proto'] | undefined {
  const proto = text?.trim().toLowerCase();
  return proto === 'https' || proto === 'http' ? proto : undefined;
}
