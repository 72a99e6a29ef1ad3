import type { IncomingMessage } from 'node:http';
import { hash } from 'node:crypto';
import { hasRequestBody } from './request-body.ts';

/** True if the request asks for what `Upgrader` forwards: for node's `shouldUpgradeCallback`. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** The only version there is (RFC 6455 section 4.1). */
export const WEBSOCKET_VERSION = '13';

/** Whether a handshake asks for one version, and for another than there is (RFC 6455 section 4.4). */
export function asksForOtherVersion({ headers }: IncomingMessage): boolean {
  const version = headers['sec-websocket-version'] ?? '';
  return /^\d{1,3}$/.test(version) && version !== WEBSOCKET_VERSION;
}

/** What is wrong with the answer that accepts a handshake (RFC 6455 section 4.1), if anything. */
export function acceptanceProblem(key: string, { headers }: IncomingMessage): string | undefined {
  const { connection = '', upgrade = 'no protocol' } = headers;
  if (upgrade.toLowerCase() !== 'websocket') return `asked for websocket, got ${upgrade}`;
  if (!UPGRADE_OPTION.test(connection)) return 'expected Connection: Upgrade';
  const accept = hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64');
  // Repeated, it is joined by a comma and differs.
  if (headers['sec-websocket-accept'] !== accept) {
    return 'expected the one Sec-WebSocket-Accept that answers the key';
  }
  return undefined;
}

const UPGRADE_OPTION = /(?:^|,)\s*upgrade\s*(?:,|$)/i;

/** What is wrong with a WebSocket handshake (RFC 6455 section 4.2.1), if anything. */
export function handshakeProblem(request: IncomingMessage, target: string): string | undefined {
  const { headers, rawHeaders } = request;
  if (request.method !== 'GET') return `expected method GET, got ${request.method}`;
  if (request.httpVersionMinor === 0) return 'HTTP/1.0 has no upgrades';
  if (!/^\/[\u0021-\u00ff]*$/.test(target)) return 'expected a target that begins with /';
  if (!asksForWebSocket(request)) return 'expected Upgrade: websocket';
  if (!UPGRADE_OPTION.test(headers.connection ?? '')) {
    return 'expected Connection: Upgrade';
  }
  // Repeated, it is joined by a comma and fails.
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '')) {
    return 'expected one Sec-WebSocket-Key of 16 bytes in base64';
  }
  if (headers['sec-websocket-version'] !== WEBSOCKET_VERSION) {
    return `expected Sec-WebSocket-Version: ${WEBSOCKET_VERSION}`;
  }
  if (hasRequestBody(rawHeaders)) return 'expected no body';
  return undefined;
}
