import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/**
 * Upstreams that answer at once with their own name: for what needs many visitors. Under
 * `/echo` they answer with an `Echo`, as JSON.
 */
export interface LightUpstreams {
  /** For `upstreams` of a configuration. */
  readonly config: Readonly<Record<string, { url: string }>>;
  /** The headers of the last request that each got, by lower-case name. */
  readonly lastHeaders: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

/** What an upstream got. */
export interface Echo {
  readonly upstream: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export async function startLightUpstreams(names: readonly string[]): Promise<LightUpstreams> {
  const servers: Server[] = [];
  const config: Record<string, { url: string }> = {};
  const lastHeaders = new Map<string, Readonly<Record<string, unknown>>>();
  for (const name of names) {
    const server = createServer((request, response) => {
      lastHeaders.set(name, request.headers);
      const isEcho = request.url?.startsWith('/echo') === true;
      const text = isEcho ? JSON.stringify({ upstream: name, headers: request.headers }) : name;
      response.writeHead(200, {
        'Content-Type': isEcho ? 'application/json' : 'text/plain',
        'Content-Length': Buffer.byteLength(text),
      });
      response.end(request.method === 'HEAD' ? undefined : text);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
    config[name] = { url: `http://127.0.0.1:${address.port}` };
  }
  return {
    config,
    lastHeaders,
    async close() {
      await Promise.all(
        servers.map(async (server) => {
          const closed = once(server, 'close');
          server.close();
          server.closeAllConnections();
          await closed;
        }),
      );
    },
  };
}
