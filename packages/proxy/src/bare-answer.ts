import { STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/*
 * Answers written straight to a socket: after an upgrade request, node:http has let go of
 * the connection and there is no ServerResponse.
 */

/** The head of an answer, up to and including the empty line. Write it as latin1. */
export function headText(status: number, fields: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i + 1 < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** How long is read past what a refused client still sends, in ms. */
const LINGER = 1_000;

/**
 * An error in plain text, after which the connection is to be closed.
 *
 * @param status 400 to 599.
 * @param more flat name/value pairs sent as well.
 */
function errorText(status: number, more: readonly string[] = []): string {
  const body = `${status} ${STATUS_CODES[status] ?? 'Error'}\n`;
  const fields = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Connection',
    'close',
  ];
  if (status === 503) fields.push('Retry-After', '5');
  return headText(status, [...fields, ...more]) + body;
}

/**
 * Answers an upgrade with an error in plain text and closes the connection.
 *
 * @param status 400 to 599.
 * @param more flat name/value pairs sent as well.
 */
export function refuseUpgrade(socket: Duplex, status: number, more: readonly string[] = []): void {
  if (socket.destroyed) return;
  socket.end(errorText(status, more), 'latin1');
  // Nothing more is read from this client; it may keep its side open as long as it likes.
  if (socket instanceof Socket) socket.destroySoon();
}

/**
 * Answers what is no request with an error in plain text and closes the connection; but not
 * before the client had time to read: with bytes unread, a connection is reset, and the answer
 * may be lost with it (RFC 9112 section 9.6).
 *
 * @param status 400 to 599.
 */
export function refuseBytes(socket: Socket, status: number): void {
  if (!socket.writable) return;
  socket.end(errorText(status), 'latin1');
  socket.resume();
  const lingering = setTimeout(() => socket.destroy(), LINGER).unref();
  socket.once('close', () => clearTimeout(lingering));
}
