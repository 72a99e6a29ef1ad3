import { Cluster, Redis } from 'ioredis';
import type { CommonRedisOptions } from 'ioredis';

/**
 * How the ledger talks to Redis: fail fast and let the assigner's breaker decide, rather
 * than queue and retry behind its back.
 */
const OPTIONS = {
  // Commands of one turn of the event loop share a round trip.
  enableAutoPipelining: true,
  // Without a connection a command fails now. The queue would grow without bound.
  enableOfflineQueue: false,
  // A lost connection fails what was in flight, instead of sending it again after.
  maxRetriesPerRequest: 0,
  // Ends what is left of a command long after its request went on without it.
  commandTimeout: 1_000,
  connectTimeout: 2_000,
  // Gives up a connection whose other end is gone without a word, as after a fail-over.
  socketTimeout: 3_000,
  keepAlive: 10_000,
  retryStrategy: (attempt: number) => Math.min(25 * 2 ** attempt, 1_000),
  // After a fail-over the old primary is a replica. Connect again, to find the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies CommonRedisOptions;

/**
 * Opens a client for one server, or for a Cluster: several addresses separated by commas,
 * or the scheme `redis+cluster:` (`rediss+cluster:` over TLS).
 *
 * @throws TypeError for an address that is none
 */
export function connect(addresses: string): Redis | Cluster {
  const urls = addresses.split(',').map((address) => parse(address.trim(), addresses));
  const [first, ...others] = urls;
  if (first === undefined) throw badAddress(addresses);
  const isCluster = others.length > 0 || first.protocol.endsWith('+cluster:');
  if (!isCluster) return new Redis(first.href, OPTIONS);

  const { enableOfflineQueue, enableAutoPipelining, retryStrategy, ...perNode } = OPTIONS;
  return new Cluster(
    urls.map(({ hostname, port }) => ({ host: bare(hostname), port: Number(port || 6379) })),
    {
      enableOfflineQueue,
      enableAutoPipelining,
      clusterRetryStrategy: retryStrategy,
      redisOptions: {
        ...perNode,
        ...(first.username === '' ? {} : { username: decodeURIComponent(first.username) }),
        ...(first.password === '' ? {} : { password: decodeURIComponent(first.password) }),
        ...(first.protocol.startsWith('rediss') ? { tls: {} } : {}),
      },
    },
  );
}

function parse(address: string, addresses: string): URL {
  // The nodes after the first may leave the scheme out.
  const text = address.includes('://') ? address : `redis://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '' || !/^rediss?(\+cluster)?:$/.test(url.protocol)) {
    throw badAddress(addresses);
  }
  return url;
}

function badAddress(addresses: string): TypeError {
  // The address may hold a password, which an error message must not spread.
  const shown = addresses.replaceAll(/\/\/[^@/]*@/g, '//…@');
  return new TypeError(
    `Expected redis://HOST:PORT, rediss://…, or several separated by commas for a Cluster, got "${shown}"`,
  );
}

/** An IPv6 address without the brackets that a URL puts around it. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
