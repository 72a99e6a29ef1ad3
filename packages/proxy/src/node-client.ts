import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { toConnectError, UpstreamError } from './errors.ts';
import type { RequestBody } from './request-body.ts';
import { trailerFields } from './trailers.ts';
import type { Upstream } from './upstream.ts';

/** A request that undici cannot send: one with an expectation, or with trailers. */
export interface NodeRequest {
  readonly path: string;
  readonly method: string;
  /** Flat name/value pairs. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
  /** The names of the fields that may come behind the body. */
  readonly trailer: string | undefined;
  /** Flat name/value pairs that came behind the body; asked for once it has ended. */
  trailers(): readonly string[];
}

/**
 * Dispatches by node:http, on a connection of its own, and reports as undici does: but also a
 * 100 (Continue), as any interim answer.
 */
export function dispatchByNode(
  upstream: Upstream,
  request: NodeRequest,
  handler: Dispatcher.DispatchHandler,
): void {
  new NodeExchange(upstream, request, handler).start();
}

class NodeExchange implements Dispatcher.DispatchController {
  readonly #upstream: Upstream;
  readonly #request: NodeRequest;
  readonly #handler: Dispatcher.DispatchHandler;
  #outgoing: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  #timer: NodeJS.Timeout | undefined;
  #done = false;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders: string[] = [];
  rawTrailers: string[] = [];

  constructor(upstream: Upstream, request: NodeRequest, handler: Dispatcher.DispatchHandler) {
    this.#upstream = upstream;
    this.#request = request;
    this.#handler = handler;
  }

  start(): void {
    const { hostname, port, secure, timeouts } = this.#upstream;
    const { path, method, headers, body, trailer } = this.#request;
    this.#handler.onRequestStart?.(this, {});
    if (this.aborted) return;
    const hasLength = headers.some((name, i) => i % 2 === 0 && /^content-length$/i.test(name));
    const framing = hasLength ? [] : ['Transfer-Encoding', 'chunked'];
    // Without chunks there is no place for trailers.
    if (!hasLength && trailer !== undefined) framing.push('Trailer', trailer);
    const options = {
      hostname,
      port,
      path,
      method,
      headers: [...headers, ...framing],
      agent: false,
      maxHeaderSize: this.#upstream.maxAnswerHead,
      ...secure,
    } as const;
    let outgoing: ClientRequest;
    try {
      outgoing = secure === undefined ? httpRequest(options) : httpsRequest(options);
    } catch (error) {
      // node:http refuses to send some fields; nothing has been sent.
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#outgoing = outgoing;
    outgoing.maxHeadersCount = 0;
    let connected = false;
    this.#limit(timeouts.connect, 'connecting');
    outgoing.once('socket', (socket: Socket) => {
      socket.once(secure === undefined ? 'connect' : 'secureConnect', () => {
        connected = true;
        this.#limit(timeouts.firstByte, 'waiting for the answer');
      });
    });
    outgoing.on('information', (info) => this.#interim(info.statusCode, info.rawHeaders));
    outgoing.once('response', (answer) => this.#answered(answer));
    // An answer of 101, which nobody asked for.
    outgoing.once('upgrade', () => this.abort(new Error('The answer switches protocols')));
    outgoing.on('error', (error) =>
      this.#fail(connected ? error : toConnectError(error, this.#upstream.name)),
    );
    body.once('data', () => clearTimeout(this.#timer));
    body.pipe(outgoing, { end: false });
    body.once('end', () => {
      const trailers = trailerFields(this.#request.trailers());
      if (!hasLength && trailers.length > 0) outgoing.addTrailers(trailers);
      outgoing.end();
      if (this.#answer === undefined) this.#limit(timeouts.firstByte, 'waiting for the answer');
    });
    body.once('error', (error) => this.abort(error));
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#fail(reason);
  }

  pause(): void {
    this.paused = true;
    this.#answer?.pause();
    clearTimeout(this.#timer);
  }

  resume(): void {
    this.paused = false;
    this.#answer?.resume();
    this.#limitSilence();
  }

  #interim(status: number, rawHeaders: string[]): void {
    if (this.#done) return;
    this.rawHeaders = rawHeaders;
    this.#report(() => this.#handler.onResponseStart?.(this, status, {}, ''));
  }

  #answered(answer: IncomingMessage): void {
    this.#answer = answer;
    this.#handler.onResponseStarted?.();
    this.rawHeaders = answer.rawHeaders;
    answer.on('data', (chunk: Buffer) => {
      if (this.#done) return;
      this.#limitSilence();
      this.#report(() => this.#handler.onResponseData?.(this, chunk));
    });
    answer.on('error', (error) => this.#fail(error));
    answer.once('end', () => {
      if (this.#done || !answer.complete) return;
      this.#finish();
      this.rawTrailers = answer.rawTrailers;
      this.#handler.onResponseEnd?.(this, {});
    });
    this.#limitSilence();
    this.#report(() => this.#handler.onResponseStart?.(this, answer.statusCode ?? 0, {}, ''));
    if (this.paused) answer.pause();
  }

  /** What a handler throws fails its exchange, as with undici. */
  #report(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #limitSilence(): void {
    if (!this.#done) this.#limit(this.#upstream.timeouts.idle, 'silence inside the answer');
  }

  #limit(ms: number, what: string): void {
    clearTimeout(this.#timer);
    if (ms === 0) return;
    const { name } = this.#upstream;
    this.#timer = setTimeout(() => {
      const message = `Upstream "${name}": timeout: ${what} for ${ms} ms`;
      this.abort(new UpstreamError('timeout', name, message));
    }, ms);
  }

  #fail(error: Error): void {
    if (this.#done) return;
    this.#finish();
    this.#outgoing?.destroy();
    this.#handler.onResponseError?.(this, error);
  }

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    // What the client has not sent by now, the upstream does not want.
    if (this.#outgoing?.writableFinished === false) this.#outgoing.destroy();
    this.#request.body.destroy();
  }
}
