/*
 * A table of what goes in by the public port and what has to come out on both sides. Each case
 * gets an upstream and a host of its own: `a.test` in its bytes stands for that host. Bytes are
 * written as latin1.
 */

/** What one message must be like. Names of fields in any case. */
export interface MessageExpectation {
  /** The first line: as a whole, or what it matches. */
  readonly start?: string | RegExp;
  /** Fields that are there with this value, each once. */
  readonly has?: Readonly<Record<string, string | RegExp>>;
  readonly hasNot?: readonly string[];
  readonly body?: string | RegExp;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface AnswerExpectation extends MessageExpectation {
  /** Interim answers count, too. One of several where a rule leaves the choice. */
  readonly status: number | readonly number[];
  /** The body breaks off before its end. */
  readonly truncated?: true;
}

export interface Case {
  readonly name: string;
  /** Document and section: `9112 6.3`. */
  readonly rfc: string;
  /** What the client sends; in parts, each when the one before has been answered to. */
  readonly send: string | readonly string[];
  /** Sent byte by byte. */
  readonly bytewise?: true;
  /** What the upstream answers to each request, once that is whole. Default: 200, `ok`. */
  readonly answer?: string;
  /** What the upstream sends when it has a head. */
  readonly early?: string;
  /** The upstream ends its connection behind an answer, or resets it. */
  readonly closing?: 'end' | 'reset';
  /**
   * What reaches the upstream: nothing at all, no whole request (and the connection is closed),
   * or these.
   */
  readonly upstream: 'nothing' | 'incomplete' | readonly MessageExpectation[];
  /** Without answers, the connection just ends. */
  readonly client: readonly AnswerExpectation[];
  /** What becomes of the client's connection; not looked at unless given. */
  readonly connection?: 'closed' | 'kept';
}

export const ONE: readonly MessageExpectation[] = [{}];
export const OK: readonly AnswerExpectation[] = [{ status: 200, body: 'ok' }];

/** A GET with more fields. */
export function get(fields = '', target = '/'): string {
  return `GET ${target} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`;
}

/** A POST with fields that frame its body. */
export function post(fields: string, body = ''): string {
  return `POST / HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n${body}`;
}

/** A POST whose body is chunked, as written. */
export function chunked(body: string, fields = ''): string {
  return post(`Transfer-Encoding: chunked\r\n${fields}`, body);
}

/** A request that no upstream may see, and after which the connection is closed. */
export function refused(
  name: string,
  rfc: string,
  send: string,
  status: number | readonly number[] = 400,
): Case {
  return { name, rfc, send, upstream: 'nothing', client: [{ status }], connection: 'closed' };
}

/** A request that is passed on, and answered by the upstream. */
export function passed(
  name: string,
  rfc: string,
  send: string,
  expected: MessageExpectation = {},
): Case {
  return { name, rfc, send, upstream: [expected], client: OK };
}

/** A GET that the upstream answers like this. */
export function answered(
  name: string,
  rfc: string,
  answer: string,
  client: AnswerExpectation,
  more: Partial<Case> = {},
): Case {
  return { name, rfc, send: get(), answer, upstream: ONE, client: [client], ...more };
}

/** An answer that no client may see. */
export function badAnswer(name: string, rfc: string, answer: string, more?: Partial<Case>): Case {
  return answered(name, rfc, answer, { status: 502, hasNot: ['x-secret'] }, more);
}
