import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';

/** Longer than the idle time of any client's pool, so that clients close first and no request meets a closing connection. */
const KEEP_ALIVE_TIMEOUT = 65_000;
/** Requests still running after this long, in milliseconds, are cut off at the end. */
const DRAIN_TIMEOUT = 4_000;

export interface RunningServer {
  /** Base URL with the port that was bound. */
  readonly url: string;
  /** Takes no new connections, lets running requests finish within 4 s, then resolves. */
  drain(): Promise<void>;
}

/** Listens on `host`:`port` (0 picks a free one). Rejects with Node's error (`EADDRINUSE` …). */
export async function startServer(
  handler: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<RunningServer> {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_TIMEOUT, requestTimeout: 30_000 },
    handler,
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { url: urlOf(server), drain: () => drain(server) };
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
