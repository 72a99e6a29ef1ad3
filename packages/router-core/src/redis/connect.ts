import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { parseAddress } from './address.ts';
import type { Login } from './address.ts';

export interface ConnectOptions {
  /**
   * Milliseconds that a server may leave a command without a word before the connection is
   * given up, and all that waits on it fails.
   */
  readonly patience: number;
  /** Whether the client subscribes again by itself after a lost connection. Default true. */
  readonly autoResubscribe?: boolean;
}

/**
 * Opens a client for one server, for the primary that Sentinels name, or for a Cluster. It
 * connects in the background, and again whenever the connection is lost.
 *
 * It is set to fail fast and let its user decide, rather than queue and retry behind their
 * back. The commands of one turn of the event loop share a pipeline, but not in a Cluster: there
 * a pipeline that mixes slots follows no `MOVED`, so that a node that was lost once would never
 * be used again.
 *
 * @throws TypeError for an address that is none
 */
export function connect(
  address: string,
  { patience, autoResubscribe = true }: ConnectOptions,
): Client {
  const parsed = parseAddress(address);
  const options = {
    // Without a connection a command fails now. The queue would grow without bound.
    enableOfflineQueue: false,
    // A lost connection fails what was in flight, instead of sending it again after.
    maxRetriesPerRequest: 0,
    connectTimeout: 2 * patience,
    // Gives up a connection whose other end says nothing, as that of a hung server or of a
    // machine that is gone, and fails all that waits on it. (`commandTimeout` would leave it.)
    socketTimeout: patience,
    // A hung server does not answer a good-bye either.
    disconnectTimeout: 100,
    // A server that reads its file is asked whether it is done.
    maxLoadingRetryTime: 1_000,
    keepAlive: 10_000,
    autoResubscribe,
    retryStrategy: retryDelay,
    // After a fail-over the old primary is a replica. Connect again, to find the new one.
    reconnectOnError: (error: Error) => /^(READONLY|MASTERDOWN)/.test(error.message),
  } satisfies RedisOptions;

  const piped = { ...options, enableAutoPipelining: true };
  if (parsed.kind === 'server') return new Redis(parsed.url, piped);
  const login = loginOptions(parsed.login);
  if (parsed.kind === 'sentinel') {
    return new Redis({
      ...piped,
      ...login,
      db: parsed.database,
      sentinels: parsed.nodes,
      name: parsed.primary,
      ...(parsed.login.tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
      // Sentinels that are gone without a word are passed over.
      sentinelCommandTimeout: patience,
      sentinelRetryStrategy: retryDelay,
    });
  }
  const { enableOfflineQueue, retryStrategy, ...perNode } = options;
  return new Cluster(parsed.nodes, {
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    // A slot that moved is one redirection. More only make a failure slow.
    maxRedirections: 3,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Connected before the first command, which would fail.
    redisOptions: { ...perNode, ...login, lazyConnect: false },
  });
}

export type Client = Redis | Cluster;

/** Resolves true once the client is connected to all servers, or false after `milliseconds` without. */
export async function becomesReady(client: Client, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  if (client.status !== 'ready' && !(await happens(client, 'ready', milliseconds))) return false;
  if (client instanceof Redis) return true;
  const remaining = deadline - performance.now();
  const nodes = client.nodes().map((node) => becomesReady(node, remaining));
  return (await Promise.all(nodes)).every(Boolean);
}

function happens(client: Client, event: string, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (hasHappened: boolean): void => {
      clearTimeout(timer);
      client.off(event, onEvent);
      resolve(hasHappened);
    };
    const onEvent = (): void => settle(true);
    const timer = setTimeout(() => settle(false), milliseconds);
    client.once(event, onEvent);
  });
}

/** Milliseconds to the next attempt to connect. */
function retryDelay(attempt: number): number {
  return Math.min(25 * 2 ** attempt, 1_000);
}

function loginOptions({ username, password, tls }: Login): {
  username?: string;
  password?: string;
  tls?: object;
} {
  return {
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(tls && { tls: {} }),
  };
}
