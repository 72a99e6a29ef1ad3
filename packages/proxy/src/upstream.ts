import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { buildConnector, Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { guardAnswers } from './answer-gate.ts';
import { toConnectError, UpstreamConfigError, UpstreamError } from './errors.ts';

/**
 * Milliseconds; 0 switches a limit off. Each counts only while the side that it is named for
 * is the one waited for.
 */
export interface UpstreamTimeouts {
  /** Opening a connection. Default 2,000. */
  connect?: number;
  /** From the request being sent to the head of the answer. Default 60,000. */
  firstByte?: number;
  /** Silence inside the answer's body. Waiting for a slow client does not count. Default 60,000. */
  idle?: number;
  /**
   * Silence of a client that we wait for: to send more of its request's body, or to read more
   * of the answer. Else it would hold one of the upstream's connections for ever. The kernel
   * tells of reading in steps of a socket buffer, so leave a slow reader time for one.
   * Default 60,000.
   */
  client?: number;
}

export interface UpstreamTls {
  /**
   * Certificates of the authorities that may vouch for the upstream, in PEM. They stand in
   * place of those that node trusts by default, which NODE_EXTRA_CA_CERTS adds to.
   */
  ca?: string;
}

/** What a TLS connection to an upstream depends on: the configuration, never a request. */
export interface SecureConnectOptions {
  /** The name asked for (SNI) and verified; empty for an IP address, which is verified itself. */
  readonly servername: string;
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: true;
}

export interface UpstreamOptions {
  /** Names the upstream in errors and metrics. */
  name: string;
  /** An origin: `http://host:port` or `https://host:port`, no path, no credentials. */
  url: string;
  /** For https alone. */
  tls?: UpstreamTls;
  /** Most connections open at once. Default 256. */
  connections?: number;
  /** Most requests that may wait for a connection; more are refused at once. Default 1,024. */
  queue?: number;
  timeouts?: UpstreamTimeouts;
}

export interface UpstreamStats {
  /** Open connections. */
  connected: number;
  /** Open connections with nothing to do. */
  free: number;
  /** Requests being answered. */
  running: number;
  /** Requests waiting for a connection. */
  pending: number;
}

/** Most bytes of an answer's head. Twice node's own limit: WordPress sets many cookies. */
const maxAnswerHeadBytes = 32 * 1024;

/** One server that requests are forwarded to, with its pool of keep-alive connections. */
export class Upstream {
  readonly name: string;
  /** `http[s]://host[:port]`, lower case, without a default port. */
  readonly origin: string;
  /** `host[:port]`, as in `origin`. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  /** Only if the origin is https. */
  readonly secure: SecureConnectOptions | undefined;
  readonly timeouts: Required<UpstreamTimeouts>;
  /** For `forward()`; not for anyone else. */
  readonly dispatcher: Dispatcher;
  /** Most requests running and waiting together. */
  readonly capacity: number;
  /** Most bytes of an answer's head. */
  readonly maxAnswerHead = maxAnswerHeadBytes;
  /** Requests running and waiting now. Kept by `forward()`. */
  inFlight = 0;

  readonly #pool: Pool;
  /** What sockets died of after they had carried an answer. */
  readonly #staleErrors = new WeakSet<Error>();

  constructor(options: UpstreamOptions) {
    const { name, connections = 256, queue = 1024 } = options;
    const url = parseOrigin(name, options.url);
    this.name = name;
    this.origin = url.origin;
    this.host = url.host;
    this.hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
    this.port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    this.secure = this.#secureOptions(url, options.tls);
    this.timeouts = {
      connect: options.timeouts?.connect ?? 2_000,
      firstByte: options.timeouts?.firstByte ?? 60_000,
      idle: options.timeouts?.idle ?? 60_000,
      client: options.timeouts?.client ?? 60_000,
    };
    this.capacity = connections + queue;
    this.#pool = new Pool(this.origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: this.timeouts.firstByte,
      bodyTimeout: this.timeouts.idle,
      maxHeaderSize: maxAnswerHeadBytes,
      connect: this.#connector(),
    });
    this.dispatcher = this.#pool;
  }

  /**
   * True if `error` ended a connection that had carried an answer before: the server may
   * have closed an idle connection at the very moment that we wrote to it.
   */
  diedOnReuse(error: Error): boolean {
    return this.#staleErrors.has(error);
  }

  stats(): UpstreamStats {
    const { connected, free, running, pending } = this.#pool.stats;
    return { connected, free, running, pending };
  }

  /** Takes no more requests, lets those under way end, then closes the connections. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Breaks off everything under way. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }

  #secureOptions(url: URL, tls: UpstreamTls | undefined): SecureConnectOptions | undefined {
    const { name, hostname } = this;
    if (url.protocol !== 'https:') {
      if (tls === undefined) return undefined;
      throw new UpstreamConfigError(
        `Upstream "${name}": expected tls only with an https:// url, got "${this.origin}".`,
      );
    }
    return {
      servername: isIP(hostname) === 0 ? hostname : '',
      secureContext: createSecureContext(
        tls?.ca === undefined ? {} : { ca: parseAuthorities(name, tls.ca) },
      ),
      rejectUnauthorized: true,
    };
  }

  #connector(): buildConnector.connector {
    const connect = buildConnector({
      allowH2: false,
      timeout: this.timeouts.connect,
      ...this.secure,
    });
    return (options, callback) => {
      // undici derives a server name from the Host header, which here is the client's
      // word. Where we connect to must depend on the configuration alone.
      const { servername: _, ...target } = options;
      connect(target, (error, socket) => {
        if (error) {
          callback(toConnectError(error, this.name), null);
          return;
        }
        const gate = guardAnswers(
          socket,
          (reason) =>
            new UpstreamError(
              'invalid answer',
              this.name,
              `Upstream "${this.name}": invalid answer: ${reason}`,
            ),
        );
        socket.on('error', (reason) => {
          if (gate.isIdle) this.#staleErrors.add(reason);
          // undici takes a reset for the end of a body that ends with the connection. But that
          // body may not be whole (RFC 9112 section 8).
          if ('code' in reason && reason.code === 'ECONNRESET') {
            Object.assign(reason, { code: 'ERR_UPSTREAM_RESET' });
          }
        });
        callback(null, socket);
      });
    };
  }
}

/** @throws UpstreamConfigError if the URL is not a plain origin, or `tls` does not fit it. */
export function createUpstream(options: UpstreamOptions): Upstream {
  return new Upstream(options);
}

function parseOrigin(name: string, text: string): URL {
  const url = URL.parse(text);
  const problem =
    url === null
      ? 'it is not a URL'
      : url.protocol !== 'http:' && url.protocol !== 'https:'
        ? `its scheme is ${url.protocol}`
        : url.username !== '' || url.password !== ''
          ? 'it has credentials'
          : url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)
            ? 'it has a path, query or fragment'
            : undefined;
  if (url !== null && problem === undefined) return url;
  throw new UpstreamConfigError(
    `Upstream "${name}": expected url to be an http:// or https:// origin such as http://127.0.0.1:4001, got "${text}": ${problem}.`,
  );
}

/** The certificates in `pem`. OpenSSL alone would take anything, and then trust nobody. */
function parseAuthorities(name: string, pem: string): string[] {
  try {
    const parts = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [pem];
    return parts.map((part) => new X509Certificate(part).toString());
  } catch (error) {
    throw new UpstreamConfigError(
      `Upstream "${name}": expected tls.ca to hold certificates in PEM, beginning with -----BEGIN CERTIFICATE-----.`,
      { cause: error },
    );
  }
}
