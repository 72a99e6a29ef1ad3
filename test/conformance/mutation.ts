import { array, constant, constantFrom, double, nat, oneof, record, tuple } from 'fast-check';
import type { Arbitrary } from 'fast-check';

/*
 * Messages that were whole, with a few bytes changed: by what parsers are known to disagree on.
 */

const FRAGMENTS = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\0',
  '\t',
  ' ',
  '\x0b',
  '\x7f',
  '\xff',
  ':',
  ',',
  ';',
  ';a=b',
  '"',
  '#',
  '\\',
  '0',
  '1',
  'f',
  '+',
  '-',
  '0x',
  '0\r\n\r\n',
  '5\r\nabcde\r\n',
  'chunked',
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'content-length: 1\r\n',
  'Content-Length : 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding: Chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer_Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive, content-length\r\n',
  'Expect: 100-continue\r\n',
  'Trailer: X-A\r\n',
  'TE: trailers\r\n',
  'Upgrade: h2c\r\nConnection: upgrade\r\n',
  'Host: other.test\r\n',
  ' folded\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
  'GET /smuggled HTTP/1.1\r\nHost: fuzz.test\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-Smuggled: 1\r\nContent-Length: 8\r\n\r\nsmuggled',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
] as const;

interface Mutation {
  /** Where, as a share of the length. */
  readonly at: number;
  /** Bytes that go. */
  readonly cut: number;
  /** What comes instead; undefined repeats the line that stands there. */
  readonly insert: string | undefined;
}

const mutation: Arbitrary<Mutation> = record({
  at: double({ min: 0, max: 1, noNaN: true }),
  cut: oneof(constant(0), nat({ max: 4 })),
  insert: oneof(
    { weight: 6, arbitrary: constantFrom(...FRAGMENTS) },
    { weight: 1, arbitrary: constant('') },
    { weight: 1, arbitrary: constant(undefined) },
    { weight: 1, arbitrary: nat({ max: 255 }).map((code) => String.fromCharCode(code)) },
  ),
});

/** One of these messages, changed in one to four places. */
export function mutated(messages: readonly string[]): Arbitrary<string> {
  return tuple(constantFrom(...messages), array(mutation, { minLength: 1, maxLength: 4 })).map(
    ([message, mutations]) => mutations.reduce(mutate, message),
  );
}

function mutate(text: string, { at, cut, insert }: Mutation): string {
  // Half of them where a line begins or ends: that is where framing is.
  const exact = Math.floor(at * text.length);
  const index = exact % 2 === 0 ? exact : Math.max(0, text.indexOf('\n', exact) + 1);
  const inserted = insert === undefined ? text.slice(index, text.indexOf('\n', index) + 1) : insert;
  return text.slice(0, index) + inserted + text.slice(index + cut);
}
