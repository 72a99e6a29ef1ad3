/**
 * Addresses of Redis:
 *
 *     redis://[user:password@]host:port[/db]                        one server
 *     redis+sentinel://[user:password@]host:port,…/<primary>[/db]   Sentinels, and the name they know it by
 *     redis+cluster://[user:password@]host:port,…                   nodes of a Cluster
 *
 * `rediss` in place of `redis` is TLS. Several servers without `+` are a Cluster too.
 */
export type RedisAddress =
  | { readonly kind: 'server'; readonly url: string }
  | { readonly kind: 'cluster'; readonly nodes: Node[]; readonly login: Login }
  | {
      readonly kind: 'sentinel';
      readonly nodes: Node[];
      readonly login: Login;
      readonly primary: string;
      readonly database: number;
    };

interface Node {
  readonly host: string;
  readonly port: number;
}

/** As the servers want it; Sentinels are asked without. Empty texts where none is given. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly tls: boolean;
}

const SENTINEL =
  /^(?<scheme>rediss?)\+sentinel:\/\/(?<nodes>[^/]+)\/(?<primary>[^/\s]+)(?:\/(?<database>\d+))?$/;

/** @throws TypeError for an address that is none */
export function parseAddress(address: string): RedisAddress {
  const sentinel = SENTINEL.exec(address)?.groups;
  if (sentinel !== undefined) {
    const { scheme = '', nodes = '', primary = '', database = '0' } = sentinel;
    const urls = parseNodes(`${scheme}://${nodes}`, address);
    return {
      kind: 'sentinel',
      ...membersOf(urls, 26_379, address),
      primary,
      database: Number(database),
    };
  }
  const urls = parseNodes(address, address);
  const [first] = urls;
  if (first === undefined) throw badAddress(address);
  if (urls.length === 1 && !first.protocol.endsWith('+cluster:')) {
    return { kind: 'server', url: first.href };
  }
  return { kind: 'cluster', ...membersOf(urls, 6379, address) };
}

function parseNodes(list: string, address: string): URL[] {
  return list.split(',').map((node) => {
    // The nodes after the first may leave the scheme out.
    const text = node.includes('://') ? node.trim() : `redis://${node.trim()}`;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || url.hostname === '' || !/^rediss?(\+cluster)?:$/.test(url.protocol)) {
      throw badAddress(address);
    }
    return url;
  });
}

/** The login stands before the first node, and counts for all. */
function membersOf(
  urls: readonly URL[],
  defaultPort: number,
  address: string,
): { nodes: Node[]; login: Login } {
  const [first] = urls;
  if (first === undefined) throw badAddress(address);
  return {
    nodes: urls.map(({ hostname, port }) => ({
      // An IPv6 address without the brackets that a URL puts around it.
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || defaultPort),
    })),
    login: {
      username: decodeURIComponent(first.username),
      password: decodeURIComponent(first.password),
      tls: first.protocol.startsWith('rediss'),
    },
  };
}

function badAddress(address: string): TypeError {
  // The address may hold a password, which an error message must not spread.
  const shown = address.replaceAll(/\/\/[^@/]*@/g, '//…@');
  return new TypeError(
    `Expected redis://HOST:PORT, redis+sentinel://HOST:PORT,…/NAME for Sentinels, ` +
      `redis+cluster://HOST:PORT,… for a Cluster (rediss for TLS), got "${shown}"`,
  );
}
