import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  requestHeaders,
  sendErrorPage,
  type Client,
  type Exchange,
  type Outcome,
  type Upstream,
} from '@turnout/proxy';
import { logAccess } from './access-log.ts';
import { makePrivate } from './cache-control.ts';
import { debugHeaders } from './debug-headers.ts';
import type { Decision } from './decide.ts';
import type { Edge } from './edge.ts';

/** Answers that one connection may wait for: pipelining is rare, and cheap to abuse. */
const PIPELINED_MAX = 8;

const waiting: unique symbol = Symbol('answers that a connection waits for');
type CountedSocket = Socket & { [waiting]?: number };

/**
 * One visitor's request on its way through the edge: what goes to the upstream, what
 * comes back, and what is recorded of it. An instance per request; its methods are the
 * callbacks that the proxy calls, so no closures are made.
 */
export class EdgeExchange implements Exchange {
  requestId: string = randomUUIDv7();
  readonly client: Client;
  readonly #started = performance.now();
  readonly #edge: Edge;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #socket: CountedSocket;
  #decided: number | undefined;
  /** Whether the request id shows whose it is. */
  #isSealed = false;
  #decision: Decision | undefined;
  /** Set by `follow`, before the proxy reads them. */
  headers: string[] = [];

  constructor(edge: Edge, request: IncomingMessage, response: ServerResponse) {
    this.#edge = edge;
    this.client = edge.clientOf(request);
    this.#request = request;
    this.#response = response;
    this.#socket = request.socket;
    this.#socket[waiting] = (this.#socket[waiting] ?? 0) + 1;
  }

  /** Ends a connection that asks for far more than it has been answered. */
  isOneTooMany(): boolean {
    if ((this.#socket[waiting] ?? 0) <= PIPELINED_MAX) return false;
    this.#socket.destroy();
    this.#recordOwn(0, `more than ${PIPELINED_MAX} requests at once on one connection`);
    return true;
  }

  get upstream(): Upstream {
    if (this.#decision === undefined) throw new Error('Expected a decision before the forwarding');
    return this.#decision.destination.upstream;
  }

  get publicOrigin(): string {
    return publicOrigin(this.client);
  }

  /** Takes the decision on: from here on the proxy may forward. */
  follow(decision: Decision): void {
    this.#decision = decision;
    this.#decided = performance.now() - this.#started;
    this.#edge.metrics.decisionDuration.observe(this.#decided / 1000);
    this.#edge.metrics.inFlight.inc(decision.destination.traffic);
    this.#recognise(decision);
    this.headers = upstreamHeaders(
      this.#edge,
      this.#request,
      this.client,
      this.requestId,
      decision,
    );
  }

  onHead(status: number, headers: string[]): string[] {
    const decision = this.#decision;
    dropRequestIds(headers);
    // What a preview's holder is told must not reach others from a shared cache.
    if (decision?.variesByVisitor === true || decision?.preview !== undefined) makePrivate(headers);
    if (decision?.cookie !== undefined) headers.push('Set-Cookie', decision.cookie);
    if (status < 500) this.#count();
    const decided = this.#decided ?? 0;
    const upstream = performance.now() - this.#started - decided;
    if (decision !== undefined) {
      this.#edge.metrics.firstByte.observe(decision.destination.traffic, upstream / 1000);
    }
    const timing = `edge;dur=${decided.toFixed(2)}, upstream;dur=${upstream.toFixed(2)}`;
    headers.push(
      'X-Request-Id',
      this.requestId,
      'Server-Timing',
      // The one header of a page that its scripts can read: they name the page's request by it.
      this.#isSealed ? `${timing}, request;desc="${this.requestId}"` : timing,
    );
    if (decision?.preview !== undefined) headers.push(...debugHeaders(decision, decision.preview));
    if (this.#edge.draining) headers.push('Connection', 'close');
    return headers;
  }

  onDone(outcome: Outcome): void {
    const decision = this.#decision;
    if (decision === undefined) return;
    const { metrics } = this.#edge;
    const { traffic } = decision.destination;
    metrics.inFlight.dec(traffic);
    this.#answered();
    if (outcome.bytesIn > 0) metrics.requestBytes.inc(traffic, outcome.bytesIn);
    if (outcome.bytesOut > 0) metrics.responseBytes.inc(traffic, outcome.bytesOut);
    let { status } = outcome;
    if (outcome.kind === 'failed') {
      const { clientFault, code } = outcome.error;
      if (!clientFault) metrics.upstreamErrors.inc({ upstream: traffic.upstream, reason: code });
      if (!this.#response.headersSent) {
        status = outcome.error.status;
        // The visitor keeps the variant through the failure, too. Who broke off midway has no
        // next request that could be trusted.
        this.#sendError(status, decision.cookie, this.#edge.draining || clientFault);
      }
    }
    const total = performance.now() - this.#started;
    metrics.requests.inc({ ...traffic, code: statusClass(status) });
    metrics.requestDuration.observe(traffic, total / 1000);
    logAccess(this.#edge.log, {
      request: this.#request,
      remote: this.client.address,
      requestId: this.requestId,
      decision,
      status,
      outcome: outcome.kind,
      bytesIn: outcome.bytesIn,
      bytesOut: outcome.bytesOut,
      total,
      decided: this.#decided,
      firstByte: outcome.firstByteMs,
      error: outcome.kind === 'failed' ? outcome.error.message : undefined,
    });
  }

  /** Answers with an error page of our own: no upstream is to see this request. */
  refuse(status: number, reason: string, close = false): void {
    this.#sendError(status, undefined, close);
    this.#recordOwn(status, reason);
  }

  /** Ends a request that we failed, whatever went wrong. */
  crash(error: unknown): void {
    this.#edge.log.error({ err: error, id: this.requestId }, 'a request could not be handled');
    if (!this.#response.headersSent) this.refuse(500, String(error));
    else this.#response.destroy();
  }

  /** Answers with JSON of our own. */
  answerJson(status: number, headers: Readonly<Record<string, string>>, body: unknown): void {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    const own = { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers };
    this.answer(status, own, `${JSON.stringify(body)}\n`);
  }

  /** Answers with a body of our own. */
  answer(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string | Buffer | undefined,
  ): void {
    if (this.#edge.draining) this.#response.setHeader('Connection', 'close');
    this.#response.writeHead(status, {
      ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      'X-Request-Id': this.requestId,
      ...headers,
    });
    this.#response.end(this.#request.method === 'HEAD' ? undefined : body);
    this.#recordOwn(status, undefined);
  }

  /** Records a request whose client left before it could be answered. */
  abandon(): void {
    this.#recordOwn(0, 'the client left');
  }

  /** Sends the visitor to another page of this site, with a cookie. */
  redirect(path: string, cookie: string): void {
    if (this.#edge.draining) this.#response.setHeader('Connection', 'close');
    this.#response.writeHead(303, {
      Location: path,
      'Set-Cookie': cookie,
      'Content-Length': 0,
      'Cache-Control': 'no-store',
      // The address holds a token, which the next page's requests must not spread.
      'Referrer-Policy': 'no-referrer',
      'X-Request-Id': this.requestId,
    });
    this.#response.end();
    this.#recordOwn(303, undefined);
  }

  #sendError(status: number, cookie?: string, close = this.#edge.draining): void {
    const { requestId } = this;
    const headers = ['X-Request-Id', requestId];
    if (cookie !== undefined) headers.push('Set-Cookie', cookie);
    sendErrorPage(this.#request, this.#response, {
      status,
      requestId,
      headers,
      ...(close && { close }),
    });
  }

  /** Notes a cookie that came back, and seals the request id for whoever it belongs to. */
  #recognise({ visitor, returned, preview }: Decision): void {
    const { testing } = this.#edge;
    if (testing === undefined || preview !== undefined) return;
    if (returned !== undefined)
      testing.tracking.returned(returned.id, returned.mirror, testing.live);
    const owner = visitor ?? returned?.id;
    if (owner === undefined) return;
    this.requestId = testing.requestIds.seal(this.requestId, owner);
    this.#isSealed = true;
  }

  /** Counts the visitor among those whom the variant served. */
  #count(): void {
    const { testing } = this.#edge;
    const { experiment, variant, visitor, exposure, destination } = this.#decision ?? {};
    if (testing === undefined || exposure === undefined) return;
    if (!experiment || !variant || !visitor || !destination) return;
    const { phase, revision } = exposure;
    testing.tally.saw(experiment, phase, variant, visitor);
    const served = destination.traffic.variant;
    testing.tracking.exposed(
      { visitor, experiment, phase, revision, assigned: variant, served },
      this.requestId,
      this.#request.headers['user-agent'],
    );
  }

  #answered(): void {
    this.#socket[waiting] = (this.#socket[waiting] ?? 1) - 1;
  }

  #recordOwn(status: number, reason: string | undefined): void {
    this.#answered();
    this.#edge.metrics.ownResponses.inc({ code: statusClass(status) });
    logAccess(this.#edge.log, {
      request: this.#request,
      remote: this.client.address,
      requestId: this.requestId,
      decision: undefined,
      status,
      outcome: 'own',
      bytesIn: 0,
      bytesOut: 0,
      total: performance.now() - this.#started,
      decided: undefined,
      firstByte: undefined,
      error: reason,
    });
  }
}

/** What the visitor calls us. */
export function publicOrigin({ proto, host = '' }: Client): string {
  return `${proto}://${host}`;
}

/** The request's headers for the upstream: cleaned, and with what the edge knows. */
export function upstreamHeaders(
  edge: Edge,
  request: IncomingMessage,
  client: Client,
  requestId: string,
  decision: Decision,
): string[] {
  const append = ['X-Request-Id', requestId];
  if (decision.visitor !== undefined) append.push('X-Turnout-Visitor', decision.visitor);
  if (decision.assignments !== undefined)
    append.push('X-Turnout-Assignments', decision.assignments);
  const headers = requestHeaders(request.rawHeaders, {
    client,
    via: `${request.httpVersion} ${edge.pseudonym}`,
    drop: isOurs,
    append,
  });
  if (request.method === 'OPTIONS') spendForward(headers);
  return headers;
}

/** RFC 9110 section 7.6.2: each hop that an OPTIONS request passes counts one down. */
function spendForward(headers: string[]): void {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'max-forwards') continue;
    const left = Number(headers[i + 1]);
    if (Number.isInteger(left) && left > 0) headers[i + 1] = String(left - 1);
  }
}

/** What only the edge may say; sent by a client it would be a lie. */
function isOurs(name: string): boolean {
  return name.startsWith('x-turnout-') || name === 'x-request-id';
}

/** An upstream may send back the id that it was given: with ours it would be there twice. */
function dropRequestIds(headers: string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i];
    if (name?.length === 12 && name.toLowerCase() === 'x-request-id') headers.splice(i, 2);
  }
}

/** A visitor who left before the head has no status. */
function statusClass(status: number): string {
  if (status === 0) return 'none';
  return `${Math.floor(status / 100)}xx`;
}
