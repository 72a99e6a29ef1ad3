import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { refuseBytes } from './bare-answer.ts';
import { breakOffRequest } from './forward.ts';
import { asksForWebSocket } from './websocket-handshake.ts';

/**
 * Bytes of a head that the parser takes in. Three times what `requestProblem()` lets through, so
 * that nearly every refusal can say what was too long.
 */
const PARSER_LIMIT = 96 * 1024;

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What was answered to bytes that are no request. */
export interface BareRefusal {
  readonly status: number;
  readonly reason: string;
  readonly socket: Socket;
}

export interface FrontOptions {
  readonly onRequest: RequestListener;
  /** Of WebSockets alone; requests for other protocols come to `onRequest`. */
  readonly onUpgrade: UpgradeListener;
  readonly onRefused: (refusal: BareRefusal) => void;
}

const latest: unique symbol = Symbol('the answer to the latest request of a connection');
const refused: unique symbol = Symbol('a connection that is read no more');
type FrontSocket = Socket & { [latest]?: ServerResponse; [refused]?: true };

/**
 * The server that clients talk to: node:http with its strict parser, which refuses bare CR and
 * LF, folded fields, bad chunks and whatever leaves a message's end in doubt. What follows such
 * bytes on a connection cannot be trusted, so it is closed. The answer says why by its status:
 * 400, 408 (the head did not come in time), 414, 431, 501 or 505.
 *
 * Expect is left to `onRequest`: whether to continue is for the upstream to say.
 */
export function createFront({ onRequest, onUpgrade, onRefused }: FrontOptions): Server {
  const server = createServer({
    maxHeaderSize: PARSER_LIMIT,
    headersTimeout: 15_000,
    requestTimeout: 0, // Uploads may be long.
    keepAliveTimeout: 75_000,
    // We answer that ourselves, as any other refusal.
    requireHostHeader: false,
    shouldUpgradeCallback: asksForWebSocket,
  });
  // Past a count node drops fields without a word; we refuse.
  server.maxHeadersCount = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const socket: FrontSocket = request.socket;
    socket[latest] = response;
    onRequest(request, response);
  };
  server.on('request', listener);
  server.on('checkContinue', listener);
  server.on('upgrade', onUpgrade);
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {});
    if (!(socket instanceof Socket)) return;
    refuseBytes(socket, 501);
    onRefused({ status: 501, reason: 'method CONNECT is not served', socket });
  });
  server.on('clientError', (error: Error, socket: Duplex) => {
    if (socket instanceof Socket) refuse(error, socket, onRefused);
    else socket.destroy();
  });
  return server;
}

function refuse(
  error: Error,
  socket: FrontSocket,
  onRefused: (refusal: BareRefusal) => void,
): void {
  // The parser complains again about whatever comes after.
  if (socket[refused] === true) return;
  socket[refused] = true;
  const response = socket[latest];
  const isAnswering = response !== undefined && !response.writableFinished;
  // More behind the last request: its answer closes the connection.
  if (isAnswering && 'code' in error && error.code === 'HPE_CLOSED_CONNECTION') return;
  const status = statusOf(error);
  if (status === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer = (): void => {
    refuseBytes(socket, status);
    onRefused({ status, reason: reasonOf(error), socket });
  };
  if (!isAnswering) answer();
  else if (!response.req.complete) breakOff(error, response);
  // What came before gets its answer first, unless that ends the connection anyway.
  else if (response.shouldKeepAlive) response.once('finish', () => setImmediate(answer));
}

/** The body of a request was broken, not a new request. */
function breakOff(error: Error, response: ServerResponse): void {
  // Refused already, and the connection will be closed.
  if (response.writableEnded) return;
  if (!breakOffRequest(response, reasonOf(error))) response.destroy();
}

function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

/** undefined: nothing can be said, or nobody is there. */
function statusOf(error: Error): number | undefined {
  const code = 'code' in error ? error.code : undefined;
  const line = requestLineAt(error);
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return line !== undefined && /^[A-Z]+ \S+$/.test(line) ? 414 : 431;
    case 'HPE_INVALID_VERSION':
      return line !== undefined && /HTTP\/\d\.\d\r?\n?$/.test(line) ? 505 : 400;
    case 'HPE_PAUSED_H2_UPGRADE':
      return 505;
    case 'HPE_INVALID_METHOD':
      // A method that we do not know, or none at all (RFC 9110 section 9.1).
      return line !== undefined && /^[!#$%&'*+.^_`|~\w-]+ /.test(line) ? 501 : 400;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    case 'HPE_CLOSED_CONNECTION':
      return undefined;
    default:
      return typeof code === 'string' && code.startsWith('HPE_') ? 400 : undefined;
  }
}

/** The line that the parser stopped in, as far as it came in one piece. */
function requestLineAt(error: Error): string | undefined {
  if (!('rawPacket' in error && Buffer.isBuffer(error.rawPacket))) return undefined;
  const parsed =
    'bytesParsed' in error && typeof error.bytesParsed === 'number' ? error.bytesParsed : 0;
  const start = parsed === 0 ? 0 : error.rawPacket.lastIndexOf(10, parsed - 1) + 1;
  const end = error.rawPacket.indexOf(10, start);
  return error.rawPacket.toString('latin1', start, end === -1 ? undefined : end + 1);
}
