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

/**
 * Answers an upgrade with an error in plain text and closes the connection.
 *
 * @param status 400 to 599.
 */
export function refuseUpgrade(socket: Duplex, status: number): void {
  if (socket.destroyed) return;
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
  socket.end(headText(status, fields) + body, 'latin1');
  // Nothing more is read from this client; it may keep its side open as long as it likes.
  if (socket instanceof Socket) socket.destroySoon();
}
