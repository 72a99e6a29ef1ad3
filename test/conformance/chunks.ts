import { chunked, passed, type Case } from './case.ts';

function broken(name: string, body: string, rfc = '9112 7.1'): Case {
  return {
    name,
    rfc,
    send: chunked(body),
    upstream: 'incomplete',
    client: [{ status: 400 }],
    connection: 'closed',
  };
}

/** Bodies in chunks: RFC 9112 section 7.1. What goes on is chunked anew. */
export const chunks: readonly Case[] = [
  passed('one chunk', '9112 7.1', chunked('3\r\nabc\r\n0\r\n\r\n'), { body: 'abc' }),
  passed('several chunks', '9112 7.1', chunked('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'), {
    body: 'abcde',
  }),
  passed('no chunk', '9112 7.1', chunked('0\r\n\r\n'), { body: '' }),
  passed('a size in capitals', '9112 7.1', chunked('A\r\n0123456789\r\n0\r\n\r\n'), {
    body: '0123456789',
  }),
  passed('a size in small letters', '9112 7.1', chunked('a\r\n0123456789\r\n0\r\n\r\n'), {
    body: '0123456789',
  }),
  passed('zeros before a size', '9112 7.1', chunked('0003\r\nabc\r\n0\r\n\r\n'), { body: 'abc' }),
  passed('several zeros for the end', '9112 7.1', chunked('3\r\nabc\r\n000\r\n\r\n'), {
    body: 'abc',
  }),
  passed('CR and LF inside a chunk', '9112 7.1', chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'), {
    body: '\r\n\r\n',
  }),
  passed('NUL inside a chunk', '9112 7.1', chunked('3\r\na\x00b\r\n0\r\n\r\n'), { body: 'a\x00b' }),
  passed('an extension goes no further', '9112 7.1.1', chunked('3;a=b\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  passed('an extension without a value', '9112 7.1.1', chunked('3;a\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  passed('a quoted extension', '9112 7.1.1', chunked('3;a="b;c"\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  passed('a quoted pair in an extension', '9112 7.1.1', chunked('3;a="\\""\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  passed('several extensions', '9112 7.1.1', chunked('3;a=b;c=d\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  passed('an extension of the last chunk', '9112 7.1.1', chunked('3\r\nabc\r\n0;a=b\r\n\r\n'), {
    body: 'abc',
  }),
  // node's parser lets these through: they say nothing, and go no further.
  passed('an empty extension before another', '9112 7.1.1', chunked('3;;a\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  passed('a value without a name', '9112 7.1.1', chunked('3;=b\r\nabc\r\n0\r\n\r\n'), {
    body: 'abc',
  }),
  {
    name: 'chunks in single bytes',
    rfc: '9112 7.1',
    send: chunked('3\r\nabc\r\n0\r\n\r\n'),
    bytewise: true,
    upstream: [{ body: 'abc' }],
    client: [{ status: 200, body: 'ok' }],
    connection: 'kept',
  },
  broken('no size', '\r\nabc\r\n0\r\n\r\n'),
  broken('a size that is no number', 'xyz\r\nabc\r\n0\r\n\r\n'),
  broken('a negative size', '-3\r\nabc\r\n0\r\n\r\n'),
  broken('a size with a plus', '+3\r\nabc\r\n0\r\n\r\n'),
  broken('a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'),
  broken('a size with an underscore', '0_3\r\nabc\r\n0\r\n\r\n'),
  broken('a quoted size', '"3"\r\nabc\r\n0\r\n\r\n'),
  broken('a space before a size', ' 3\r\nabc\r\n0\r\n\r\n'),
  broken('a space behind a size', '3 \r\nabc\r\n0\r\n\r\n'),
  broken('a tab behind a size', '3\t\r\nabc\r\n0\r\n\r\n'),
  broken('a space before an extension', '3 ;a=b\r\nabc\r\n0\r\n\r\n'),
  broken('a size past 64 bits', '10000000000000003\r\nabc\r\n0\r\n\r\n'),
  broken('a size past all bounds', `${'f'.repeat(64)}\r\nabc\r\n0\r\n\r\n`),
  broken('a size behind a comma', '3,3\r\nabc\r\n0\r\n\r\n'),
  broken('LF alone behind a size', '3\nabc\r\n0\r\n\r\n'),
  broken('CR alone behind a size', '3\rabc\r\n0\r\n\r\n'),
  broken('LF alone behind a chunk', '3\r\nabc\n0\r\n\r\n'),
  broken('CR alone behind a chunk', '3\r\nabc\r0\r\n\r\n'),
  broken('nothing behind a chunk', '3\r\nabc0\r\n\r\n'),
  broken('a chunk that is too long', '3\r\nabcd\r\n0\r\n\r\n'),
  broken('a chunk that is too short', '4\r\nabc\r\n0\r\n\r\n'),
  broken('LF alone behind the last size', '3\r\nabc\r\n0\n\r\n'),
  broken('LF alone as the end', '3\r\nabc\r\n0\r\n\n'),
  broken('LF alone in an extension', '3;a\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('CR alone in an extension', '3;a=\rb\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('LF alone in a quoted extension', '3;a="\n"\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('CR LF in a quoted extension', '3;a="\r\n"\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('NUL in an extension', '3;a=\x00\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('a control byte in an extension', '3;a=\x01\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('an extension without a name', '3;\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('an extension with an open quote', '3;a="b\r\nabc\r\n0\r\n\r\n', '9112 7.1.1'),
  broken('extensions of 40 KB', `3;a=${'b'.repeat(40_000)}\r\nabc\r\n0\r\n\r\n`, '9112 7.1.1'),
  broken('a folded trailer', '3\r\nabc\r\n0\r\nX-A: 1\r\n 2\r\n\r\n', '9112 7.1.2'),
  broken('a trailer without a colon', '3\r\nabc\r\n0\r\nX-A\r\n\r\n', '9112 7.1.2'),
  broken('a space before the colon of a trailer', '3\r\nabc\r\n0\r\nX-A : 1\r\n\r\n', '9112 7.1.2'),
  broken('LF alone behind a trailer', '3\r\nabc\r\n0\r\nX-A: 1\n\r\n', '9112 7.1.2'),
  broken('NUL in a trailer', '3\r\nabc\r\n0\r\nX-A: \x00\r\n\r\n', '9112 7.1.2'),
  broken('a length as a trailer', '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n', '9110 6.5.1'),
  broken(
    'a coding as a trailer',
    '3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
    '9110 6.5.1',
  ),
  {
    name: 'chunks that end midway',
    rfc: '9112 8',
    send: chunked('3\r\nabc\r\n'),
    upstream: 'incomplete',
    client: [],
  },
  {
    name: 'a bad chunk that comes later',
    rfc: '9112 7.1',
    send: [chunked('3\r\nabc\r\n'), 'x\r\nabc\r\n0\r\n\r\n'],
    upstream: 'incomplete',
    client: [{ status: 400 }],
    connection: 'closed',
  },
];
