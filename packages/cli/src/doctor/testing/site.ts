import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { examine, type Examined } from '../examination.ts';
import type { Finding, Trouble } from '../finding.ts';

/** What an upstream of the test answers at one path. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

type Replies = Readonly<Record<string, Reply | ((request: IncomingMessage) => Reply)>>;

/** A real HTTP server for each name, as upstreams of one configuration. */
export interface Site extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, by name. */
  readonly urls: Readonly<Record<string, string>>;
  /** What the site answered besides GET and HEAD: there must be none. */
  readonly methods: ReadonlySet<string>;
  readonly dataDir: string;
  /** Runs `turnout doctor` over it; `more` goes over the configuration. */
  examine(
    more?: Readonly<Record<string, unknown>>,
    options?: { readonly paths?: readonly string[]; readonly timeout?: number },
  ): Promise<Examined[]>;
}

/** A page as it should be: it names itself by what the edge forwards, and all else by paths. */
export function page({ headers, url = '/' }: IncomingMessage, head = '', body = ''): Reply {
  const origin = `${String(headers['x-forwarded-proto'])}://${String(headers['x-forwarded-host'])}`;
  return html(`<link rel="canonical" href="${origin}${url}">${head}`, body);
}

export function html(head: string, body = ''): Reply {
  return {
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'private, no-cache' },
    body: `<!doctype html><html lang="en"><head><title>Shop</title>${head}</head><body>${body}</body></html>`,
  };
}

export function script(body: string): Reply {
  return { headers: { 'Content-Type': 'text/javascript' }, body };
}

/**
 * Starts upstreams `control` and `next`, each with a home page and `/plans` that are as they
 * should be, and what `replies` puts in their place.
 */
export async function startSite(
  replies: { readonly control?: Replies; readonly next?: Replies } = {},
): Promise<Site> {
  const dataDir = await mkdtemp(join(tmpdir(), 'turnout-doctor-'));
  const methods = new Set<string>();
  const own = (name: 'control' | 'next'): RequestListener => {
    const asset = `/_mfe/${name}/app.js`;
    const clean: Replies = {
      '/': (request) => page(request, `<script type="module" src="${asset}"></script>`),
      '/plans': (request) => page(request, `<script type="module" src="${asset}"></script>`),
      [asset]: script('export const shop = 1;'),
      ...replies[name],
    };
    return (request, response) => {
      const { method = '', url = '/' } = request;
      if (method !== 'GET' && method !== 'HEAD') methods.add(method);
      const found = clean[url] ?? { status: 404, body: 'not here' };
      const {
        status = 200,
        headers = {},
        body = '',
      } = typeof found === 'function' ? found(request) : found;
      for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
      response.writeHead(status).end(body);
    };
  };
  const servers = {
    control: await listen(createServer(own('control'))),
    next: await listen(createServer(own('next'))),
  };
  const urls = { control: servers.control.url, next: servers.next.url };
  return {
    urls,
    methods,
    dataDir,
    examine: (more = {}, { paths = [], timeout = 20_000 } = {}) =>
      examine({
        source: stringify({ ...configuration(urls), ...more }),
        file: join(dataDir, 'turnout.yaml'),
        env: {},
        paths,
        timeout,
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all([servers.control.close(), servers.next.close()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A configuration in which all is well. */
export function configuration(urls: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    public: { hosts: ['shop.example'], url: 'https://shop.example' },
    dataDir: '.',
    upstreams: Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, { url }])),
    routes: [
      { path: '/_mfe/control/**', upstream: 'control' },
      { path: '/_mfe/next/**', upstream: 'next' },
    ],
    default: 'control',
    experiments: [experiment()],
  };
}

export function experiment(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    key: 'home',
    status: 'running',
    scope: { paths: ['/', '/plans/**'] },
    variants: [
      { key: 'control', upstream: 'control', weight: 50, control: true },
      { key: 'A', upstream: 'next', weight: 50 },
    ],
    ...more,
  };
}

/** What one check has against the set-up. */
export function troubles(examined: readonly Examined[], name: string): Trouble[] {
  return findings(examined, name).filter((finding) => finding.level !== 'ok');
}

export function findings(examined: readonly Examined[], name: string): readonly Finding[] {
  const check = examined.find((one) => one.name === name);
  if (check === undefined)
    throw new Error(`No check ${name}, but ${examined.map((one) => one.name).join(', ')}`);
  return check.findings;
}

/** Every trouble, by check. */
export function allTroubles(examined: readonly Examined[]): [name: string, found: Trouble[]][] {
  return examined
    .map(({ name }): [string, Trouble[]] => [name, troubles(examined, name)])
    .filter(([, found]) => found.length > 0);
}

interface Listening {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A server that speaks TLS with a certificate of an authority that nobody trusts. */
export function listenWithTls(identity: { cert: string; key: string }): Promise<Listening> {
  return listen(createTlsServer(identity, (_, response) => response.end('secure')));
}

/** A server of bare sockets, for answers that are no HTTP. */
export function listenBare(onConnection: (socket: Socket) => void): Promise<Listening> {
  return listen(
    createTcpServer((socket) => {
      // Clients break off as they like.
      socket.on('error', () => socket.destroy());
      onConnection(socket);
    }),
  );
}

export async function listen(server: Server): Promise<Listening> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
