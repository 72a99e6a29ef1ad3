/*
 * Reads HTTP/1.1 messages off a string of bytes (latin1) by the letter of RFC 9112, and by no
 * parser that the edge uses: what the edge sends is held against another reading of the rules.
 */

export interface Message {
  /** Request line or status line. */
  readonly start: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** False while the body is not whole. */
  readonly complete: boolean;
}

export interface Reading {
  readonly messages: readonly Message[];
  /** What is no message, and why. */
  readonly problem: string | undefined;
}

const FIELD =
  /^([!#$%&'*+.^_`|~\w-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[ \t\x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]+ [\x21-\xff]+ HTTP\/1\.1$/;
const STATUS_LINE = /^HTTP\/1\.1 [1-5]\d\d [ \t\x21-\x7e\x80-\xff]*$/;

class NotHttp extends Error {}

/** The requests in bytes that a client sent. */
export function readRequests(bytes: string): Reading {
  return read(bytes, REQUEST_LINE, () => false, false);
}

/**
 * The answers in bytes that a server sent, interim ones too.
 *
 * @param methods of the requests that they answer, in order
 * @param ended whether the connection has ended: some bodies end with it
 */
export function readAnswers(bytes: string, methods: readonly string[], ended: boolean): Reading {
  let nth = 0;
  const isBodiless = (start: string): boolean => {
    const status = start.slice(9, 12);
    if (status.startsWith('1')) return true;
    const method = methods[nth];
    nth += 1;
    return method === 'HEAD' || status === '204' || status === '304';
  };
  return read(bytes, STATUS_LINE, isBodiless, ended);
}

function read(
  bytes: string,
  startLine: RegExp,
  isBodiless: (start: string) => boolean,
  ended: boolean,
): Reading {
  const messages: Message[] = [];
  let at = 0;
  try {
    while (at < bytes.length) {
      const end = bytes.indexOf('\r\n\r\n', at);
      if (end === -1) {
        return { messages, problem: `no end of a head: ${excerpt(bytes, at)}` };
      }
      const [start = '', ...lines] = bytes.slice(at, end).split('\r\n');
      if (!startLine.test(start)) throw new NotHttp(`no first line: ${excerpt(bytes, at)}`);
      const fields = lines.map(readField);
      at = end + 4;
      const body = isBodiless(start)
        ? { body: '', trailers: [], complete: true, at }
        : readBody(bytes, at, fields, startLine === REQUEST_LINE, ended);
      messages.push({ start, fields, ...body });
      if (!body.complete) break;
      at = body.at;
    }
  } catch (error) {
    if (error instanceof NotHttp) return { messages, problem: error.message };
    throw error;
  }
  return { messages, problem: undefined };
}

function readField(line: string): readonly [string, string] {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined) {
    throw new NotHttp(`no field: ${JSON.stringify(line)}`);
  }
  return [name, value];
}

function readBody(
  bytes: string,
  at: number,
  fields: Message['fields'],
  isRequest: boolean,
  ended: boolean,
) {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) {
    throw new NotHttp(`several framings: ${[...lengths, ...codings].join()}`);
  }
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new NotHttp(`coding ${String(codings[0])}`);
    return readChunks(bytes, at);
  }
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d+$/.test(length)) throw new NotHttp(`length ${length}`);
    const end = at + Number(length);
    const complete = bytes.length >= end;
    return { body: bytes.slice(at, end), trailers: [], complete, at: end };
  }
  if (isRequest) return { body: '', trailers: [], complete: true, at };
  return { body: bytes.slice(at), trailers: [], complete: ended, at: bytes.length };
}

function readChunks(bytes: string, start: number) {
  let body = '';
  let at = start;
  for (;;) {
    const partial = { body, trailers: [], complete: false, at };
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return partial;
    const line = bytes.slice(at, end);
    if (!/^[\da-f]+$/i.test(line)) throw new NotHttp(`no chunk size: ${excerpt(bytes, at)}`);
    const size = Number.parseInt(line, 16);
    if (size === 0) {
      const close = bytes.startsWith('\r\n', end + 2)
        ? end + 2
        : bytes.indexOf('\r\n\r\n', end + 2) + 2;
      if (close < end + 2) return partial;
      const lines = bytes
        .slice(end + 2, close)
        .split('\r\n')
        .filter(Boolean);
      return { body, trailers: lines.map(readField), complete: true, at: close + 2 };
    }
    const next = end + 2 + size;
    body += bytes.slice(end + 2, next);
    if (bytes.length < next + 2) return { ...partial, body };
    if (!bytes.startsWith('\r\n', next))
      throw new NotHttp(`no end of a chunk: ${excerpt(bytes, next)}`);
    at = next + 2;
  }
}

/** The values of a field, `name` in lower case. */
export function valuesOf(fields: Message['fields'], name: string): string[] {
  return fields.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
}

function excerpt(bytes: string, at: number): string {
  return JSON.stringify(bytes.slice(at, at + 60));
}
