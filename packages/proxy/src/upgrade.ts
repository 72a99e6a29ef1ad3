import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { performance } from 'node:perf_hooks';
import { createProxyServer } from 'http-proxy-3';
import type { ProxyServer } from 'http-proxy-3';
import { headText, refuseUpgrade } from './bare-answer.ts';
import { toConnectError, toUpstreamError, UpstreamError } from './errors.ts';
import type { UpstreamErrorCode } from './errors.ts';
import type { Outcome } from './forward.ts';
import { headerObject } from './header-object.ts';
import { originForm } from './request-target.ts';
import { responseHeaders } from './response-headers.ts';
import type { Upstream, UpstreamTimeouts } from './upstream.ts';
import {
  acceptanceProblem,
  asksForOtherVersion,
  handshakeProblem,
  WEBSOCKET_VERSION,
} from './websocket-handshake.ts';

/** One upgrade's passage to an upstream. `onDone` must not throw. */
export interface UpgradeExchange {
  readonly upstream: Upstream;
  /** Flat name/value pairs for the upstream, as `requestHeaders()` makes them. */
  readonly headers: readonly string[];
  /** `<proto>://<host>` as clients know us, for a Location in a refusal. */
  readonly publicOrigin: string;
  /** The path and query to ask for, in origin form. Default: those of the request's own target. */
  readonly target?: string;
  /**
   * Called exactly once, when the client's connection is done with: `completed` with status
   * 101 after a tunnel, with the upstream's status after a refusal; else `aborted` or
   * `failed`. Bytes are those of the connection after the request's head.
   */
  onDone(outcome: Outcome): void;
}

export interface UpgraderOptions {
  /**
   * `connect` and `firstByte` default to the upstream's own. `idle` is a silence in both
   * directions of an open tunnel, and by default no reason to end it. While a refusal is
   * relayed, the upstream's own `idle` and `client` hold.
   */
  timeouts?: Omit<UpstreamTimeouts, 'client'>;
}

export interface Upgrader {
  /**
   * Forwards one WebSocket handshake and, once the upstream has accepted, joins the two
   * connections. Takes the socket over; never throws on anything that either side sends.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, exchange: UpgradeExchange): void;
  /** Tunnels open or being opened. */
  readonly live: number;
  /** Ends every tunnel, open or being opened, on both sides. */
  closeAll(): void;
}

export function createUpgrader(options: UpgraderOptions = {}): Upgrader {
  const proxy = createProxyServer();
  // Every failure also reaches the callback given to `ws` or closes the client's socket; but
  // without a listener of ours http-proxy-3 throws.
  proxy.on('error', () => {});
  const live = new Set<Upgrade>();
  return {
    upgrade(request, socket, head, exchange) {
      // node:http gives a net.Socket, whatever its type says.
      if (!(socket instanceof Socket)) {
        socket.destroy();
        exchange.onDone({ kind: 'aborted', status: 0, bytesIn: 0, bytesOut: 0 });
        return;
      }
      const upgrade = new Upgrade(request, socket, exchange, options.timeouts ?? {}, live);
      upgrade.start(proxy, head);
    },
    get live() {
      return live.size;
    },
    closeAll() {
      for (const upgrade of live) upgrade.close();
    },
  };
}

class Upgrade {
  readonly #request: IncomingMessage;
  readonly #client: Socket;
  readonly #exchange: UpgradeExchange;
  readonly #timeouts: Omit<UpstreamTimeouts, 'client'>;
  readonly #live: Set<Upgrade>;
  readonly #startedAt = performance.now();
  /** Of the handshake, which `request.headers` will hold no more. */
  readonly #key: string;
  readonly #bytesReadBefore: number;
  readonly #bytesWrittenBefore: number;
  #handshake: ClientRequest | undefined;
  /** TCP, and TLS if that is the upstream's: the handshake may have been sent. */
  #connected = false;
  #upstreamSocket: Socket | undefined;
  #firstByteTimer: NodeJS.Timeout | undefined;
  #firstByteMs = -1;
  #status = 0;
  #answered = false;
  #error: UpstreamError | undefined;

  constructor(
    request: IncomingMessage,
    client: Socket,
    exchange: UpgradeExchange,
    timeouts: Omit<UpstreamTimeouts, 'client'>,
    live: Set<Upgrade>,
  ) {
    this.#request = request;
    this.#key = request.headers['sec-websocket-key'] ?? '';
    this.#client = client;
    this.#exchange = exchange;
    this.#timeouts = timeouts;
    this.#live = live;
    this.#bytesReadBefore = client.bytesRead;
    this.#bytesWrittenBefore = client.bytesWritten;
  }

  start(proxy: ProxyServer, head: Buffer): void {
    const client = this.#client;
    this.#live.add(this);
    client.on('error', () => {}); // 'close' follows, and says all that matters.
    if (client.closed) {
      this.#clientClosed();
      return;
    }
    client.once('close', () => this.#clientClosed());
    const problem = handshakeProblem(this.#request, this.#target());
    if (problem !== undefined) {
      this.#refuse('invalid request', problem);
      return;
    }
    try {
      this.#connect(proxy, head);
    } catch (error) {
      // node:http refuses to send some headers; nothing has been sent.
      this.#refuse(
        'invalid request',
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
  }

  close(): void {
    if (!this.#answered) this.#refuse('refused', 'all upgrades are being closed');
    this.#handshake?.destroy();
    this.#upstreamSocket?.destroySoon();
    this.#client.destroySoon();
  }

  #target(): string {
    const { url = '', method = '' } = this.#request;
    return this.#exchange.target ?? originForm(url, method) ?? url;
  }

  /**
   * http-proxy-3 reads method, target and headers off the request, so they are put there as
   * the upstream is to see them. Its own reading of the target (through `new URL`, which
   * throws on some) is switched off by `toProxy`.
   */
  #connect(proxy: ProxyServer, head: Buffer): void {
    const { upstream, headers } = this.#exchange;
    const request = this.#request;
    request.url = this.#target();
    request.headers = headerObject(headers, { connection: 'Upgrade', upgrade: 'websocket' });

    const handshakes: ClientRequest[] = [];
    const capture = (handshake: ClientRequest): void => {
      // Unchanged to the last character: http-proxy-3 has taken it apart and joined it again.
      handshake.path = this.#target();
      handshakes.push(handshake);
    };
    proxy.once('proxyReqWs', capture);
    try {
      proxy.ws(
        request,
        this.#client,
        head,
        {
          target: {
            protocol: upstream.secure === undefined ? 'http:' : 'https:',
            host: upstream.host,
            hostname: upstream.hostname,
            port: upstream.port,
          },
          toProxy: true,
          // Without a server name of its own, an agent would take it from the Host field.
          ...(upstream.secure && { agent: new Agent({ ...upstream.secure }) }),
          connectTimeout: this.#timeouts.connect ?? upstream.timeouts.connect,
        },
        (error) => this.#fail(error),
      );
    } finally {
      proxy.off('proxyReqWs', capture);
    }
    const [handshake] = handshakes;
    if (handshake === undefined) {
      this.#refuse('invalid request', 'the handshake was not accepted for forwarding');
      return;
    }
    this.#watch(handshake);
  }

  /** Puts our checks before http-proxy-3's listeners on the upstream's answer. */
  #watch(handshake: ClientRequest): void {
    this.#handshake = handshake;
    handshake.maxHeadersCount = 0; // Never drop fields of the answer in silence.
    const connected = this.#exchange.upstream.secure === undefined ? 'connect' : 'secureConnect';
    handshake.once('socket', (socket) => {
      socket.once(connected, () => {
        this.#connected = true;
      });
    });
    const join = handshake.listeners('upgrade');
    handshake.removeAllListeners('upgrade');
    handshake.once('upgrade', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
      if (!this.#accepts(answer, socket)) return;
      for (const listener of join) Reflect.apply(listener, handshake, [answer, socket, head]);
    });
    // http-proxy-3 relays a refusal without back-pressure and hangs if it breaks off midway.
    handshake.removeAllListeners('response');
    handshake.once('response', (answer) => this.#relayRefusal(answer));

    const firstByte = this.#timeouts.firstByte ?? this.#exchange.upstream.timeouts.firstByte;
    if (firstByte > 0) {
      this.#firstByteTimer = setTimeout(() => {
        this.#refuse('timeout', `no answer to the handshake within ${firstByte} ms`);
        handshake.destroy();
      }, firstByte);
    }
  }

  /** The upstream switched protocols: true if to the one asked for, and the client still there. */
  #accepts(answer: IncomingMessage, socket: Socket): boolean {
    this.#answerBegan(answer);
    this.#upstreamSocket = socket;
    const client = this.#client;
    if (client.destroyed || this.#error !== undefined) {
      socket.destroy();
      return false;
    }
    const problem = acceptanceProblem(this.#key, answer);
    if (problem !== undefined) {
      socket.on('error', () => {}).destroy();
      this.#refuse('invalid answer', problem);
      return false;
    }
    this.#answered = true;
    answer.headers = headerObject(this.#answerFields(answer), {
      connection: 'Upgrade',
      upgrade: 'websocket',
    });
    // http-proxy-3 writes the head as a string; its bytes are to be those of the answer.
    client.setDefaultEncoding('latin1');
    const idle = this.#timeouts.idle ?? 0;
    // Neither side outlives the other. What has been read is still delivered.
    socket.once('close', () => client.destroySoon());
    setImmediate(() => {
      // After http-proxy-3 has set its own (none).
      client.setTimeout(idle, () => this.close());
    });
    return true;
  }

  #relayRefusal(answer: IncomingMessage): void {
    this.#answerBegan(answer);
    const client = this.#client;
    const { statusCode: status = 0 } = answer;
    if (client.destroyed || this.#error !== undefined) {
      answer.destroy();
      return;
    }
    if (status < 200) {
      answer.destroy();
      this.#refuse('invalid answer', `status ${status}`);
      return;
    }
    this.#answered = true;
    const fields = this.#answerFields(answer);
    client.write(headText(status, [...fields, 'Connection', 'close']), 'latin1');
    const { idle, client: patience } = this.#exchange.upstream.timeouts;
    answer.setTimeout(idle, () => {
      if (client.writableNeedDrain) return; // The client holds it back.
      this.#note('timeout', `silence inside the refusal for ${idle} ms`);
      answer.destroy();
    });
    client.setTimeout(patience, () => {
      if (client.writableLength === 0) return; // It is the upstream that is silent.
      this.#note('client timeout', `the client stopped reading the refusal for ${patience} ms`);
      answer.destroy();
      client.resetAndDestroy();
    });
    answer.pipe(client, { end: false });
    answer.once('close', () => {
      if (answer.complete) {
        client.destroySoon();
        return;
      }
      this.#note('broken', 'the connection died inside the refusal');
      // The body ends where the connection does: only a reset tells it from a whole one.
      client.resetAndDestroy();
    });
  }

  #answerBegan(answer: IncomingMessage): void {
    clearTimeout(this.#firstByteTimer);
    this.#firstByteMs = performance.now() - this.#startedAt;
    this.#status = answer.statusCode ?? 0;
  }

  #answerFields(answer: IncomingMessage): string[] {
    const { upstream, publicOrigin } = this.#exchange;
    return responseHeaders(answer.rawHeaders, {
      status: this.#status,
      upstreamOrigin: upstream.origin,
      publicOrigin,
    });
  }

  #fail(error: unknown): void {
    const { upstream } = this.#exchange;
    const classify = this.#connected ? toUpstreamError : toConnectError;
    this.#error ??= classify(error, upstream.name);
    this.#answerError();
  }

  #refuse(code: UpstreamErrorCode, message: string, cause?: unknown): void {
    this.#note(code, message, cause);
    this.#answerError();
  }

  #note(code: UpstreamErrorCode, message: string, cause?: unknown): void {
    const { name } = this.#exchange.upstream;
    this.#error ??= new UpstreamError(code, name, `Upstream "${name}": ${code}: ${message}`, cause);
  }

  /** Plain text on the bare socket, unless something has been said already. */
  #answerError(): void {
    clearTimeout(this.#firstByteTimer);
    if (this.#answered || this.#error === undefined) return;
    this.#answered = true;
    if (this.#error.code === 'invalid request' && asksForOtherVersion(this.#request)) {
      const fields = ['Upgrade', 'websocket', 'Sec-WebSocket-Version', WEBSOCKET_VERSION];
      refuseUpgrade(this.#client, 426, ['Connection', 'Upgrade', ...fields]);
      return;
    }
    refuseUpgrade(this.#client, this.#error.status);
  }

  #clientClosed(): void {
    this.#live.delete(this);
    clearTimeout(this.#firstByteTimer);
    this.#handshake?.destroy();
    this.#upstreamSocket?.destroy();
    const figures = {
      status: this.#status,
      bytesIn: this.#client.bytesRead - this.#bytesReadBefore,
      bytesOut: this.#client.bytesWritten - this.#bytesWrittenBefore,
      ...(this.#firstByteMs >= 0 && { firstByteMs: this.#firstByteMs }),
    };
    const error = this.#error;
    this.#exchange.onDone(
      error !== undefined
        ? { kind: 'failed', ...figures, error }
        : { kind: this.#answered ? 'completed' : 'aborted', ...figures },
    );
  }
}
