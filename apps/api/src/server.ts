import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';

/** Longer than the idle time of any client's pool, so that clients close first and no request meets a closing connection. */
const KEEP_ALIVE_TIMEOUT = 65_000;
/** Requests still running after this long, in milliseconds, are cut off at the end. */
const DRAIN_TIMEOUT = 3_500;

export interface RunningServer {
  /** Base URL with the port that was bound. */
  readonly url: string;
  /** Takes no new connections, lets running requests finish within 3.5 s, then resolves. */
  drain(): Promise<void>;
}

/** The address can not be listened on; the message says what to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Where to listen; port 0 picks a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** The environment variable that sets the port, for messages. */
  readonly portVariable: string;
}

/** Listens at `address`; rejects with `ListenError` when that is impossible. */
export async function startServer(
  handler: RequestListener,
  address: ListenAddress,
): Promise<RunningServer> {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_TIMEOUT, requestTimeout: 30_000 },
    handler,
  );
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(listenError(error, address));
    server.once('error', fail);
    server.listen(address.port, address.host, () => {
      server.off('error', fail);
      resolve();
    });
  });
  return { url: urlOf(server), drain: () => drain(server) };
}

function listenError(error: NodeJS.ErrnoException, address: ListenAddress): ListenError {
  const { host, port, portVariable } = address;
  const fixes: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken. Set ${portVariable} to a free port, or end the program that listens there.`,
    EACCES: `This user may not listen on port ${port}. Set ${portVariable} to 1024 or above.`,
    EADDRNOTAVAIL: `${host} is no address of this machine. Set HOST to one that is, such as 127.0.0.1.`,
    ENOTFOUND: `${host} is no address of this machine. Set HOST to one that is, such as 127.0.0.1.`,
  };
  const fix = fixes[error.code ?? ''] ?? `Can not listen on ${host}:${port}: ${error.message}.`;
  return new ListenError(fix, { cause: error });
}

function urlOf(server: Server): string {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The server is not on TCP.');
  const { address, family, port } = bound;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  // A connection becomes idle when its running request ends; close it then, or
  // its keep-alive would hold the process until the timeout.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cutOff = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
  await closed;
  clearInterval(sweep);
  clearTimeout(cutOff);
}
