import { once } from 'node:events';
import { createServer } from 'node:http';
import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { Server as HttpsServer } from 'node:https';
import type { Server as TcpServer, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createUpstream, forward, requestHeaders } from '../src/index.ts';
import type { Client, Exchange, Outcome, Upstream, UpstreamOptions } from '../src/index.ts';
import type { Identity } from './authority.ts';

/*
 * Real servers on loopback ports of the system's choosing. Each is closed when the test
 * that started it ends.
 */

export async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
  return address.port;
}

export async function httpServer(
  listener: RequestListener,
  options: ServerOptions = {},
): Promise<{ server: Server; port: number }> {
  const server = createServer(options, listener);
  return { server, port: await started(server) };
}

/** As `httpServer()`, over TLS. */
export async function httpsServer(
  identity: Identity,
  listener: RequestListener,
): Promise<{ server: HttpsServer; port: number }> {
  const server = createHttpsServer(identity, listener);
  return { server, port: await started(server) };
}

async function started(server: Server | HttpsServer): Promise<number> {
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return listen(server);
}

/** A server that speaks whatever `onConnection` writes. */
export async function rawServer(
  onConnection: (socket: Socket, nth: number) => void,
): Promise<{ port: number; connections: Socket[] }> {
  const connections: Socket[] = [];
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    connections.push(socket);
    onConnection(socket, connections.length);
  });
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of connections) socket.destroy();
    await closed;
  });
  return { port: await listen(server), connections };
}

/** Calls back with every request head that arrives, one at a time; bodies are not expected. */
export function onRequestHead(socket: Socket, answer: (head: string, nth: number) => void): void {
  let pending = '';
  let nth = 0;
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
      const head = pending.slice(0, end + 4);
      pending = pending.slice(end + 4);
      answer(head, ++nth);
    }
  });
}

/** A server that keeps every request head and answers them all with the same bytes. */
export async function headServer(answer: string): Promise<{ port: number; heads: Queue<string> }> {
  const heads = new Queue<string>();
  const { port } = await rawServer((socket) =>
    onRequestHead(socket, (head) => {
      heads.put(head);
      socket.write(answer, 'latin1');
    }),
  );
  return { port, heads };
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

export function upstreamAt(port: number, options: Partial<UpstreamOptions> = {}): Upstream {
  const upstream = createUpstream({ name: 'test', url: `http://127.0.0.1:${port}`, ...options });
  onTestFinished(() => upstream.destroy());
  return upstream;
}

export interface Front {
  port: number;
  /** The next outcome that no one has taken yet. */
  outcome(): Promise<Outcome>;
}

export interface FrontOptions {
  /** Changes to every exchange. */
  exchange?: Partial<Exchange>;
  /** What to do after a failure before the head. Default: the error's status, no body. */
  onFailure?: (request: IncomingMessage, response: ServerResponse, outcome: Outcome) => void;
  append?: string[];
  server?: ServerOptions;
}

/** The client of a request over plain HTTP. */
export function clientOf(request: IncomingMessage): Client {
  return {
    address: request.socket.remoteAddress ?? '',
    host: request.headers.host,
    proto: 'http',
  };
}

/** node:http in front of `forward()`, as an edge would be. */
export async function frontOf(upstream: Upstream, options: FrontOptions = {}): Promise<Front> {
  const outcomes = new Queue<Outcome>();
  const listener: RequestListener = (request, response) => {
    forward(request, response, {
      upstream,
      publicOrigin: 'http://shop.example',
      headers: requestHeaders(request.rawHeaders, {
        client: clientOf(request),
        ...(options.append && { append: options.append }),
      }),
      onHead: (_status, headers) => headers,
      onDone(outcome) {
        outcomes.put(outcome);
        if (outcome.kind !== 'failed' || response.headersSent) return;
        if (options.onFailure !== undefined) options.onFailure(request, response, outcome);
        else response.writeHead(outcome.error.status).end();
      },
      ...options.exchange,
    });
  };
  const { server, port } = await httpServer(listener, options.server);
  server.on('checkContinue', listener);
  return { port, outcome: () => outcomes.take() };
}

/** Sends `text` and gives everything that comes back until the other side is done. */
export async function rawExchange(port: number, text: string): Promise<string> {
  const socket = rawClient(port);
  socket.write(text, 'latin1');
  return readAll(socket);
}

export function rawClient(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

export async function readAll(socket: Socket): Promise<string> {
  let all = '';
  socket.on('data', (chunk) => {
    all += chunk.toString('latin1');
  });
  // A connection that is reset has no 'end'.
  socket.once('end', () => socket.end());
  if (!socket.closed) await once(socket, 'close');
  return all;
}

/** Resolves once `condition` holds; looks after every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Hands what was put to whoever takes, in order, whichever comes first. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}
