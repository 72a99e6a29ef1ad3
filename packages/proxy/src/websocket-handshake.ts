import type { IncomingMessage } from 'node:http';
import { hasRequestBody } from './request-body.ts';

/** True if the request asks for what `Upgrader` forwards: for node's `shouldUpgradeCallback`. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** What is wrong with a WebSocket handshake (RFC 6455 section 4.2.1), if anything. */
export function handshakeProblem(request: IncomingMessage, target: string): string | undefined {
  const { headers, rawHeaders } = request;
  if (request.method !== 'GET') return `expected method GET, got ${request.method}`;
  if (request.httpVersionMinor === 0) return 'HTTP/1.0 has no upgrades';
  if (!/^\/[\u0021-\u00ff]*$/.test(target)) return 'expected a target that begins with /';
  if (!asksForWebSocket(request)) return 'expected Upgrade: websocket';
  if (!/(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.connection ?? '')) {
    return 'expected Connection: Upgrade';
  }
  // Repeated, it is joined by a comma and fails.
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '')) {
    return 'expected one Sec-WebSocket-Key of 16 bytes in base64';
  }
  if (!/^\d{1,3}$/.test(headers['sec-websocket-version'] ?? '')) {
    return 'expected one Sec-WebSocket-Version';
  }
  if (hasRequestBody(rawHeaders)) return 'expected no body';
  return undefined;
}
