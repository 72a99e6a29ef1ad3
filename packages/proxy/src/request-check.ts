import type { IncomingMessage } from 'node:http';
import { originForm } from './request-target.ts';

/** Why a request goes to no upstream. */
export interface Refusal {
  readonly status: 400 | 414 | 431 | 501 | 505 | 508;
  /** For the log. */
  readonly reason: string;
}

/** Bytes of all names and values of one request. */
const MAX_FIELD_BYTES = 32_768;
/** Bytes of a request's target; RFC 9112 section 3 asks for 8,000 at least. */
const MAX_TARGET = 16_384;
/** Header fields of one request. A browser sends some twenty. */
const MAX_FIELDS = 200;
/** Times that one request may pass the same proxy: a server may call its own public address. */
const MAX_PASSES = 2;

/** `uri-host [ ":" port ]` (RFC 9110 section 7.2), of the names that DNS and browsers know. */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::(\d{0,5}))?$/i;
/** Characters of a name in DNS (RFC 1035 section 2.3.4), and of a port. */
const MAX_HOST = 255 + 6;
const AUTHORITY = /^https?:\/\/([^/?#]*)/i;

/**
 * What makes a request one that no upstream should see, beyond what node's parser refuses by
 * itself: whatever two servers could read in two ways (RFC 9112 section 11.2), and what a
 * gateway does not do. One pass over the fields.
 *
 * @param pseudonym what we call ourselves in `Via`
 */
export function requestProblem(request: IncomingMessage, pseudonym: string): Refusal | undefined {
  const { rawHeaders, httpVersion, method = '', url = '' } = request;
  // llhttp also reads 0.9 and 2.0; a request without a version reads as 0.9.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    return { status: 505, reason: `expected HTTP/1.1, got HTTP/${httpVersion}` };
  }
  if (isForeign(method)) return { status: 501, reason: `method ${method} is not served` };
  if (url.length > MAX_TARGET) {
    return { status: 414, reason: `expected a target of at most ${MAX_TARGET} bytes` };
  }
  if (rawHeaders.length > 2 * MAX_FIELDS) {
    return { status: 431, reason: `expected at most ${MAX_FIELDS} header fields` };
  }
  let bytes = 0;
  let hosts = 0;
  let host = '';
  let codings = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    bytes += name.length + (rawHeaders[i + 1] ?? '').length;
    switch (name.length) {
      case 3:
        if (name.toLowerCase() === 'via' && passes(request, pseudonym) > MAX_PASSES) {
          return { status: 508, reason: `passed here more than ${MAX_PASSES} times already` };
        }
        break;
      case 4:
        if (name.toLowerCase() !== 'host') break;
        hosts += 1;
        host = rawHeaders[i + 1] ?? '';
        break;
      case 17: {
        if (name.toLowerCase() !== 'transfer-encoding') break;
        codings += 1;
        const problem = codingProblem(rawHeaders[i + 1] ?? '', codings, httpVersion);
        if (problem !== undefined) return problem;
      }
    }
  }
  if (bytes > MAX_FIELD_BYTES) {
    return { status: 431, reason: `expected at most ${MAX_FIELD_BYTES} bytes of header fields` };
  }
  // RFC 9112 section 3.2: with two of them, upstream and edge could each believe another.
  if (hosts !== 1) return invalid(`expected exactly one Host field, got ${hosts}`);
  if (!isHost(host)) return invalid('expected a host name in Host, and a port at most');
  return targetProblem(url, method, host);
}

function invalid(reason: string): Refusal {
  return { status: 400, reason };
}

/**
 * TRACE repeats what it is sent, cookies too, and CONNECT opens tunnels: nothing for a gateway.
 * The others are of RTSP, whose requests node's parser takes as well.
 */
function isForeign(method: string): boolean {
  switch (method) {
    case 'TRACE':
    case 'CONNECT':
    case 'PRI':
    case 'DESCRIBE':
    case 'ANNOUNCE':
    case 'SETUP':
    case 'PLAY':
    case 'PAUSE':
    case 'TEARDOWN':
    case 'GET_PARAMETER':
    case 'SET_PARAMETER':
    case 'REDIRECT':
    case 'RECORD':
    case 'FLUSH':
      return true;
    default:
      return false;
  }
}

/**
 * RFC 9112 sections 6.1 and 6.3. HTTP/1.0 knows no codings. A body that does not end in chunks has
 * no end, and one in another coding before would have to be decoded before it could be sent on.
 */
function codingProblem(value: string, nth: number, httpVersion: string): Refusal | undefined {
  if (httpVersion === '1.0') return invalid('HTTP/1.0 has no Transfer-Encoding');
  if (nth > 1) return invalid('expected one Transfer-Encoding field');
  if (value === 'chunked' || value.toLowerCase() === 'chunked') return undefined;
  const last = value.slice(value.lastIndexOf(',') + 1).trim();
  if (last.toLowerCase() !== 'chunked') return invalid('expected chunked as the last coding');
  return { status: 501, reason: `transfer coding ${value} is not served` };
}

/** Whether a Host field's value is one name, and a port at most. */
function isHost(value: string): boolean {
  if (value.length > MAX_HOST) return false;
  const [whole, port = ''] = HOST.exec(value) ?? [];
  return whole !== undefined && Number(port) <= 65_535;
}

function targetProblem(url: string, method: string, host: string): Refusal | undefined {
  // No client sends a fragment (RFC 9112 section 3.2); servers disagree on what it is.
  if (url.includes('#')) return invalid('expected a target without a fragment');
  if (url.charCodeAt(0) === 47 /* / */) return undefined;
  if (originForm(url, method) === undefined) {
    return invalid('expected a target that begins with /, or http://host/');
  }
  const authority = AUTHORITY.exec(url)?.[1];
  // Section 3.2.2 lets the target win. But who would write two names?
  if (authority !== undefined && !isSameHost(authority, host)) {
    return invalid('expected the host of the target in Host');
  }
  return undefined;
}

function isSameHost(one: string, other: string): boolean {
  return withoutDefaultPort(one) === withoutDefaultPort(other);
}

function withoutDefaultPort(host: string): string {
  return host.toLowerCase().replace(/:(?:80|443)?$/, '');
}

/** How often we stand in `Via` (RFC 9110 section 7.6.3). */
function passes({ headers }: IncomingMessage, pseudonym: string): number {
  let count = 0;
  for (const hop of headers.via?.split(',') ?? []) {
    if (hop.trim().split(/\s+/)[1] === pseudonym) count += 1;
  }
  return count;
}
