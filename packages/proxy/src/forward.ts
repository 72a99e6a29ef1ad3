import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Dispatcher } from 'undici';
import { answerProblem } from './answer-check.ts';
import { ClientWait } from './client-wait.ts';
import { toUpstreamError, UpstreamError } from './errors.ts';
import { dispatchByNode } from './node-client.ts';
import { hasRequestBody, RequestBody } from './request-body.ts';
import { originForm } from './request-target.ts';
import { responseHeaders } from './response-headers.ts';
import { trailerFields } from './trailers.ts';
import type { Upstream } from './upstream.ts';

/** How an exchange ended. Told exactly once. */
export type Outcome = {
  /** Status of the upstream's answer; 0 if none came. */
  status: number;
  /** Body bytes read from the client. */
  bytesIn: number;
  /** Body bytes given to the client. */
  bytesOut: number;
  /** Milliseconds from `forward()` to the head of the upstream's answer, if one came. */
  firstByteMs?: number;
} & (
  | { /** The whole answer was handed to the client's connection. */ kind: 'completed' }
  | { /** The client went away first. */ kind: 'aborted' }
  | {
      /** No answer came, or not all of it passed; `error.clientFault` tells whose fault it was. */
      kind: 'failed';
      error: UpstreamError;
    }
);

/** One request's passage to an upstream and back. Its callbacks must not throw. */
export interface Exchange {
  readonly upstream: Upstream;
  /** Flat name/value pairs for the upstream, as `requestHeaders()` makes them. */
  readonly headers: string[];
  /** `<proto>://<host>` as clients know us; Locations on the upstream's origin move there. */
  readonly publicOrigin: string;
  /** The path and query to ask for, in origin form. Default: those of the request's own target. */
  readonly target?: string;
  /**
   * Has the last word on the head of the answer; called once, right before it is written.
   *
   * @param headers flat name/value pairs, hop-by-hop fields already gone; may be changed in
   *   place and returned.
   */
  onHead(status: number, headers: string[]): string[];
  /** Called exactly once, and possibly before `forward()` returns. */
  onDone(outcome: Outcome): void;
}

const forwarding: unique symbol = Symbol('forwarding');

/** The response that a forwarding is under way for points back at it: no closure per listener. */
interface ForwardedResponse extends ServerResponse {
  [forwarding]?: Forwarding | undefined;
}

/** undici's type leaves out an option of its own. */
interface NamedDispatchOptions extends Dispatcher.DispatchOptions {
  /**
   * Over TLS, undici opens a new connection when the server name changes, and without this
   * takes it from the Host field: clients would have a say in our connections.
   */
  servername: string;
}

const clientGone = new Error('The client closed the connection');

/** Interim answers before the one proper: each would give the upstream more time. */
const INTERIM_MAX = 16;

/**
 * Streams a request to an upstream and its answer back.
 *
 * An expectation is the upstream's to answer: the server must leave `checkContinue` to the caller.
 *
 * Both directions wait for the slower side. A client that goes away, or stops midway for
 * longer than `timeouts.client`, takes the upstream's request with it; an answer that breaks
 * off midway breaks the client's connection off too, and is never made to look complete. A
 * failure before the head was written writes nothing: `onDone` gets `failed` and the caller may
 * answer, or, if the upstream is to blame, call `forward()` again.
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): void {
  new Forwarding(request, response, exchange).start();
}

/**
 * Breaks off the forwarding of a request whose body turned out to be no HTTP.
 *
 * @returns false if none is under way that the answer belongs to
 */
export function breakOffRequest(response: ForwardedResponse, reason: string): boolean {
  const found = response[forwarding];
  found?.requestBroken(reason);
  return found !== undefined;
}

class Forwarding implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ForwardedResponse;
  readonly #exchange: Exchange;
  readonly #startedAt = performance.now();
  readonly #body: RequestBody | null;
  readonly #clientWait: ClientWait;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #bytesOut = 0;
  #firstByteMs = -1;
  /** The upstream has begun to answer this attempt. */
  #answering = false;
  #answered = false;
  #retried = false;
  #settled = false;
  #interims = 0;
  /** The client waits for a 100 (Continue) before it sends its body, and has got none. */
  #expecting = false;

  constructor(request: IncomingMessage, response: ServerResponse, exchange: Exchange) {
    this.#request = request;
    this.#response = response;
    this.#exchange = exchange;
    this.#clientWait = new ClientWait(exchange.upstream.timeouts.client, this);
    this.#body = hasRequestBody(request.rawHeaders)
      ? new RequestBody(request, this.#clientWait)
      : null;
  }

  start(): void {
    const { upstream } = this.#exchange;
    const response = this.#response;
    upstream.inFlight++;
    response[forwarding] = this;
    response.on('close', onClientClose);
    if (response.destroyed || this.#request.destroyed) {
      // Gone while the caller was still deciding; there will be no second 'close'.
      this.clientClosed();
    } else if (upstream.inFlight > upstream.capacity) {
      this.#fail(
        new UpstreamError(
          'refused',
          upstream.name,
          `Upstream "${upstream.name}": refused: ${upstream.capacity} requests are under way or waiting already`,
        ),
      );
    } else {
      this.#dispatch();
    }
  }

  #dispatch(): void {
    const { upstream, headers, target } = this.#exchange;
    const { url = '', method = '' } = this.#request;
    const path = target ?? originForm(url, method) ?? url;
    // undici would send an absolute target as it is, and the upstream might believe its host;
    // and it cannot send the target `*`.
    if (path.charCodeAt(0) !== 47 /* / */) {
      this.#fail(
        new UpstreamError(
          'invalid request',
          upstream.name,
          `Upstream "${upstream.name}": invalid request: expected a target that begins with /, got "${path}"`,
        ),
      );
      return;
    }
    const body = this.#body;
    if (body !== null && this.#isForNode()) {
      this.#expecting = expectsContinue(this.#request);
      dispatchByNode(
        upstream,
        {
          path,
          method,
          headers: this.#expecting ? [...headers, 'Expect', '100-continue'] : headers,
          trailer: this.#request.headers.trailer,
          body,
          trailers: () => this.#request.rawTrailers,
        },
        this,
      );
      return;
    }
    // undici reports what it finds wrong with these to onResponseError; it does not throw.
    const options: NamedDispatchOptions = {
      path,
      method,
      headers,
      body,
      servername: upstream.hostname,
    };
    upstream.dispatcher.dispatch(options, this);
  }

  /** undici sends neither an expectation nor trailers. */
  #isForNode(): boolean {
    const { headers } = this.#request;
    return headers.trailer !== undefined || expectsContinue(this.#request);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#answering = false;
    if (this.#settled) controller.abort(clientGone);
  }

  onResponseStarted(): void {
    this.#answering = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const { upstream, publicOrigin } = this.#exchange;
    const raw = rawPairs(controller.rawHeaders);
    const problem = answerProblem(status, raw);
    if (problem !== undefined) {
      controller.abort(invalidAnswer(upstream, problem));
      return;
    }
    if (status < 200) {
      this.#passInterim(controller, status, raw);
      return;
    }
    this.#status = status;
    this.#firstByteMs = performance.now() - this.#startedAt;
    const headers = responseHeaders(raw, { status, upstreamOrigin: upstream.origin, publicOrigin });
    const head = this.#exchange.onHead(status, headers);
    // A client that was not told to continue may send its body or not (RFC 9110 section 10.1.1).
    if (this.#expecting && !this.#request.complete) head.push('Connection', 'close');
    this.#response.writeHead(status, head);
    // Head and body in one write if they came together; but a head that came alone (server-sent
    // events, long polling) must not wait for its body.
    process.nextTick(flushHead, this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const response = this.#response;
    if (this.#settled || response.destroyed) return;
    this.#bytesOut += chunk.length;
    if (!response.write(chunk)) {
      controller.pause();
      response.once('drain', onClientDrain);
      this.#clientWait.restart();
    } else if (this.#body !== null) {
      // Who reads an early answer may have no more to send, and is not silent.
      this.#clientWait.restart();
    }
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#settled) return;
    this.#answered = true;
    const trailers = rawPairs(controller.rawTrailers);
    // RFC 9110 section 6.5: they stay trailers. node sends them if the answer is chunked.
    if (trailers.length > 0) this.#response.addTrailers(trailerFields(trailers));
    this.#response.end();
    if (this.#response.writableLength > 0) this.#clientWait.restart();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#settled) return;
    if (this.#mayRetry(error)) {
      this.#retried = true;
      // By the next turn, idle connections that the same server closed have left the pool.
      setImmediate(retry, this);
      return;
    }
    this.#fail(toUpstreamError(error, this.#exchange.upstream.name));
  }

  requestBroken(reason: string): void {
    if (this.#settled) return;
    const { name } = this.#exchange.upstream;
    const message = `Upstream "${name}": invalid request: ${reason}`;
    const error = new UpstreamError('invalid request', name, message);
    this.#controller?.abort(error); // Comes back through onResponseError,
    if (!this.#settled) this.#fail(error); // unless nothing has been sent yet.
  }

  /** The client's connection is done with this response, for better or worse. */
  clientClosed(): void {
    if (this.#settled) return;
    if (this.#answered && this.#response.writableFinished) {
      this.#settle({ kind: 'completed', ...this.#figures() });
      return;
    }
    this.#settle({ kind: 'aborted', ...this.#figures() });
    this.#controller?.abort(clientGone);
  }

  clientDrained(): void {
    this.#controller?.resume();
  }

  get waitsForClient(): boolean {
    const response = this.#response;
    if (this.#body?.starved === true) return !this.#expecting;
    // Without a socket it is a pipelined answer that waits for the one before it.
    return (this.#answered || response.writableNeedDrain) && response.socket !== null;
  }

  clientTimedOut(ms: number): void {
    const { name } = this.#exchange.upstream;
    const stopped = this.#body?.starved === true ? 'sending its request' : 'reading the answer';
    const error = new UpstreamError(
      'client timeout',
      name,
      `Upstream "${name}": client timeout: the client stopped ${stopped} for ${ms} ms`,
    );
    this.#controller?.abort(error); // Comes back through onResponseError,
    if (!this.#settled) this.#fail(error); // unless the upstream's part was done already.
  }

  flushHead(): void {
    if (!this.#settled && this.#bytesOut === 0 && !this.#answered) this.#response.flushHeaders();
  }

  retry(): void {
    if (!this.#settled) this.#dispatch();
  }

  /**
   * RFC 9112 section 9.3.1: a server may close an idle connection while we write to it. A
   * safe request without a body is worth one more try then. Never anything else: a server
   * that died of the request itself must not get it twice.
   */
  #mayRetry(error: Error): boolean {
    if (this.#retried || this.#answering || this.#body !== null) return false;
    const { method } = this.#request;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return false;
    return this.#exchange.upstream.diedOnReuse(error);
  }

  /** RFC 9110 section 15.2: an interim answer goes to any client that knows them. */
  #passInterim(
    controller: Dispatcher.DispatchController,
    status: number,
    raw: readonly (string | Buffer)[],
  ): void {
    const { upstream, publicOrigin } = this.#exchange;
    this.#interims += 1;
    if (status === 101 || this.#interims > INTERIM_MAX) {
      const problem = status === 101 ? 'status 101' : `more than ${INTERIM_MAX} interim answers`;
      controller.abort(invalidAnswer(upstream, problem));
      return;
    }
    if (this.#settled || this.#request.httpVersionMinor === 0) return;
    if (status === 100) {
      if (!this.#expecting) return;
      this.#expecting = false;
      this.#clientWait.restart();
      this.#response.writeContinue();
      return;
    }
    this.#response.writeInformation(
      status,
      // Framing is no interim answer's to change.
      responseHeaders(raw, { status: 204, upstreamOrigin: upstream.origin, publicOrigin }),
    );
  }

  #fail(error: UpstreamError): void {
    // Broken off, so that nobody takes the part for the whole.
    if (this.#response.headersSent) this.#breakOff();
    this.#settle({ kind: 'failed', ...this.#figures(), error });
  }

  #breakOff(): void {
    // An HTTP/1.0 body ends where the connection does: only a reset tells it from a whole one.
    if (this.#request.httpVersionMinor === 0) this.#request.socket.resetAndDestroy();
    else this.#response.destroy();
  }

  #figures() {
    return {
      status: this.#status,
      bytesIn: this.#body?.bytes ?? 0,
      bytesOut: this.#bytesOut,
      ...(this.#firstByteMs >= 0 && { firstByteMs: this.#firstByteMs }),
    };
  }

  #settle(outcome: Outcome): void {
    const response = this.#response;
    this.#settled = true;
    this.#clientWait.stop();
    this.#exchange.upstream.inFlight--;
    response[forwarding] = undefined;
    response.off('close', onClientClose);
    this.#exchange.onDone(outcome);
  }
}

/** undici's HTTP/1.1 client always gives flat pairs; its type allows for others. */
function rawPairs(
  headers: Dispatcher.DispatchController['rawHeaders'],
): readonly (string | Buffer)[] {
  return Array.isArray(headers) ? headers : [];
}

/** Whether the client waits for a 100 (Continue) before it sends its body. */
export function expectsContinue({ headers, httpVersionMinor }: IncomingMessage): boolean {
  // RFC 9110 section 10.1.1: HTTP/1.0 has no expectations.
  return headers.expect !== undefined && httpVersionMinor === 1;
}

function invalidAnswer({ name }: Upstream, problem: string): UpstreamError {
  return new UpstreamError(
    'invalid answer',
    name,
    `Upstream "${name}": invalid answer: ${problem}`,
  );
}

function onClientClose(this: ForwardedResponse): void {
  this[forwarding]?.clientClosed();
}

function onClientDrain(this: ForwardedResponse): void {
  this[forwarding]?.clientDrained();
}

function flushHead(exchange: Forwarding): void {
  exchange.flushHead();
}

function retry(exchange: Forwarding): void {
  exchange.retry();
}
