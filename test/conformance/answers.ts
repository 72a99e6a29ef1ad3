import { answered, badAnswer, get, OK, ONE, type Case } from './case.ts';

const OK_LINE = 'HTTP/1.1 200 OK\r\n';
const FRAMED = 'Content-Length: 2\r\n\r\nok';
const CHUNKED = `${OK_LINE}Transfer-Encoding: chunked\r\n\r\n`;

/** An answer that breaks off: what came of it reaches the client, and not as the whole. */
function brokenOff(
  name: string,
  rfc: string,
  answer: string,
  body: string,
  closing?: 'end' | 'reset',
): Case {
  return answered(
    name,
    rfc,
    answer,
    { status: 200, body, truncated: true },
    { connection: 'closed', ...(closing !== undefined && { closing }) },
  );
}

/** What upstreams answer: RFC 9112 sections 4, 6, 7 and 8. */
export const answers: readonly Case[] = [
  answered(
    'a body by length',
    '9112 6.2',
    OK_LINE + FRAMED,
    { status: 200, body: 'ok', has: { 'content-length': '2' } },
    { connection: 'kept' },
  ),
  answered(
    'a body in chunks',
    '9112 7.1',
    `${CHUNKED}2\r\nok\r\n0\r\n\r\n`,
    { status: 200, body: 'ok' },
    { connection: 'kept' },
  ),
  answered(
    'a body to the end of the connection',
    '9112 6.3',
    `${OK_LINE}\r\nok`,
    { status: 200, body: 'ok' },
    { closing: 'end' },
  ),
  answered(
    'an answer by HTTP/1.0',
    '9112 2.3',
    'HTTP/1.0 200 OK\r\n\r\nok',
    { status: 200, body: 'ok' },
    { closing: 'end' },
  ),
  answered('no reason', '9112 4', `HTTP/1.1 200 \r\n${FRAMED}`, { status: 200, body: 'ok' }),
  answered('no space and no reason', '9112 4', `HTTP/1.1 200\r\n${FRAMED}`, {
    status: 200,
    body: 'ok',
  }),
  answered('a status that nobody knows', '9110 15', `HTTP/1.1 299 X\r\n${FRAMED}`, {
    status: 299,
    body: 'ok',
  }),
  answered('a status of 599', '9110 15', `HTTP/1.1 599 X\r\n${FRAMED}`, {
    status: 599,
    body: 'ok',
  }),
  answered('bytes past ASCII in a value', '9110 5.5', `${OK_LINE}X-A: caf\xe9\r\n${FRAMED}`, {
    status: 200,
    has: { 'x-a': 'caf\xe9' },
  }),
  answered(
    'extensions of chunks go no further',
    '9112 7.1.1',
    `${CHUNKED}2;a=b\r\nok\r\n0\r\n\r\n`,
    { status: 200, body: 'ok' },
  ),
  answered(
    '204 has no body',
    '9110 15.3.5',
    'HTTP/1.1 204 No Content\r\n\r\n',
    { status: 204, body: '', hasNot: ['content-length', 'transfer-encoding'] },
    { connection: 'kept' },
  ),
  answered(
    '204 with a length',
    '9110 8.6',
    'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    { status: 204, hasNot: ['content-length'] },
    { connection: 'kept' },
  ),
  answered(
    '204 with a body',
    '9110 15.3.5',
    'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok',
    { status: 204, body: '', hasNot: ['content-length'] },
    { connection: 'kept' },
  ),
  answered(
    '304 has no body',
    '9110 15.4.5',
    'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    { status: 304, body: '', has: { etag: '"x"' } },
    { connection: 'kept' },
  ),
  answered(
    '304 with the length of what was not sent',
    '9110 8.6',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n',
    { status: 304, body: '' },
    { connection: 'kept' },
  ),
  answered(
    'HEAD with chunks',
    '9110 9.3.2',
    `${OK_LINE}Transfer-Encoding: chunked\r\n\r\n`,
    { status: 200, body: '' },
    { send: get().replace('GET', 'HEAD') },
  ),
  answered(
    'HEAD with a body',
    '9110 9.3.2',
    OK_LINE + FRAMED,
    { status: 200, body: '' },
    { send: get().replace('GET', 'HEAD'), connection: 'kept' },
  ),

  badAnswer('no HTTP at all', '9112 4', 'hello\r\n\r\n'),
  badAnswer('nothing', '9112 8', '', { closing: 'end' }),
  badAnswer('half a head', '9112 8', `${OK_LINE}X-Secret: 1\r\n`, { closing: 'end' }),
  badAnswer('half a first line', '9112 8', 'HTTP/1.1 2', { closing: 'end' }),
  badAnswer('a reset instead', '9112 8', '', { closing: 'reset' }),
  ...(
    [
      ['a status of two digits', 'HTTP/1.1 20 OK'],
      ['a status of four digits', 'HTTP/1.1 2000 OK'],
      ['a status with a plus', 'HTTP/1.1 +200 OK'],
      ['a status of 000', 'HTTP/1.1 000 OK'],
      ['a status of 099', 'HTTP/1.1 099 OK'],
      ['a status of 600', 'HTTP/1.1 600 OK'],
      ['a status of 999', 'HTTP/1.1 999 OK'],
      ['a status of letters', 'HTTP/1.1 abc OK'],
      ['no status', 'HTTP/1.1 OK'],
      ['two spaces', 'HTTP/1.1  200 OK'],
      ['a tab', 'HTTP/1.1\t200 OK'],
      ['no space', 'HTTP/1.1 200OK'],
      ['HTTP/0.9', 'HTTP/0.9 200 OK'],
      ['HTTP/1.2', 'HTTP/1.2 200 OK'],
      ['HTTP/2.0', 'HTTP/2.0 200 OK'],
      ['HTTP/1', 'HTTP/1 200 OK'],
      ['small letters', 'http/1.1 200 OK'],
      ['RTSP', 'RTSP/1.0 200 OK'],
      ['ICY', 'ICY 200 OK'],
      ['a control byte in the reason', 'HTTP/1.1 200 O\x01K'],
      ['NUL in the reason', 'HTTP/1.1 200 O\x00K'],
      ['CR in the reason', 'HTTP/1.1 200 O\rK'],
      ['a space at the start', ' HTTP/1.1 200 OK'],
    ] as const
  ).map(([name, line]) =>
    badAnswer(`${name} in the first line`, '9112 4', `${line}\r\nX-Secret: 1\r\n${FRAMED}`),
  ),
  badAnswer(
    'LF alone throughout',
    '9112 2.2',
    'HTTP/1.1 200 OK\nX-Secret: 1\nContent-Length: 2\n\nok',
  ),
  badAnswer('LF alone behind a field', '9112 2.2', `${OK_LINE}X-Secret: 1\n${FRAMED}`),
  badAnswer('CR alone in a value', '9112 2.2', `${OK_LINE}X-Secret: a\rb\r\n${FRAMED}`),
  badAnswer('NUL in a value', '9110 5.5', `${OK_LINE}X-Secret: a\x00b\r\n${FRAMED}`),
  badAnswer('a control byte in a value', '9110 5.5', `${OK_LINE}X-Secret: a\x01b\r\n${FRAMED}`),
  badAnswer('a folded field', '9112 5.2', `${OK_LINE}X-Secret: a\r\n b\r\n${FRAMED}`),
  badAnswer('a space before a colon', '9112 5.1', `${OK_LINE}X-Secret : a\r\n${FRAMED}`),
  badAnswer(
    'a space before the colon of a length',
    '9112 5.1',
    `${OK_LINE}X-Secret: 1\r\nContent-Length : 2\r\n\r\nok`,
  ),
  badAnswer('a field without a name', '9112 5', `${OK_LINE}X-Secret: 1\r\n: a\r\n${FRAMED}`),
  badAnswer('a field without a colon', '9112 5', `${OK_LINE}X-Secret: 1\r\nXa\r\n${FRAMED}`),
  badAnswer(
    'a field name past ASCII',
    '9110 5.1',
    `${OK_LINE}X-Secret: 1\r\nX-\xe9: a\r\n${FRAMED}`,
  ),
  badAnswer(
    'a head of 40 KB',
    '9110 5.4',
    `${OK_LINE}X-Secret: ${'a'.repeat(40_000)}\r\n${FRAMED}`,
  ),
  badAnswer('a head that has no end', '9110 5.4', `${OK_LINE}X-Secret: ${'a'.repeat(40_000)}`),
  badAnswer(
    'a length and a coding',
    '9112 6.3',
    `${OK_LINE}X-Secret: 1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ),
  badAnswer(
    'a coding and a length',
    '9112 6.3',
    `${OK_LINE}X-Secret: 1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ),
  badAnswer(
    'two lengths that differ',
    '9112 6.3',
    `${OK_LINE}X-Secret: 1\r\nContent-Length: 3\r\n${FRAMED}`,
  ),
  ...['+2', '-2', '0x2', '2 2', '', 'x', '2, 3', '99999999999999999999999'].map((value) =>
    badAnswer(
      `the length ${JSON.stringify(value)}`,
      '9110 8.6',
      `${OK_LINE}X-Secret: 1\r\nContent-Length: ${value}\r\n\r\nok`,
    ),
  ),
  ...[
    'identity',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, identity',
    'chunked, chunked',
    '"chunked"',
    'xchunked',
    'chunked;a=b',
    ', chunked',
    '',
  ].map((value) =>
    badAnswer(
      `the coding ${JSON.stringify(value)}`,
      '9112 6.3',
      `${OK_LINE}X-Secret: 1\r\nTransfer-Encoding: ${value}\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      { closing: 'end' },
    ),
  ),
  badAnswer(
    'two fields with a coding',
    '9112 6.3',
    `${OK_LINE}X-Secret: 1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ),
  badAnswer(
    '204 with a coding',
    '9112 6.1',
    'HTTP/1.1 204 No Content\r\nX-Secret: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),

  brokenOff(
    'a body that is too short',
    '9112 8',
    `${OK_LINE}Content-Length: 5\r\n\r\nok`,
    'ok',
    'end',
  ),
  brokenOff(
    'a body that ends with a reset',
    '9112 8',
    `${OK_LINE}Content-Length: 5\r\n\r\nok`,
    'ok',
    'reset',
  ),
  brokenOff('a body to the end, which is a reset', '9112 8', `${OK_LINE}\r\nok`, 'ok', 'reset'),
  brokenOff('chunks without the last', '9112 8', `${CHUNKED}2\r\nok\r\n`, 'ok', 'end'),
  brokenOff('half a chunk', '9112 8', `${CHUNKED}5\r\nok`, 'ok', 'end'),
  brokenOff('the last chunk without an end', '9112 8', `${CHUNKED}2\r\nok\r\n0\r\n`, 'ok', 'end'),
  brokenOff('a bad size', '9112 7.1', `${CHUNKED}2\r\nok\r\nx\r\n`, 'ok'),
  brokenOff('a chunk that is too long', '9112 7.1', `${CHUNKED}2\r\noki\r\n0\r\n\r\n`, 'ok'),
  brokenOff('LF alone behind a chunk', '9112 7.1', `${CHUNKED}2\r\nok\n0\r\n\r\n`, 'ok'),
  brokenOff('LF alone as the end', '9112 7.1', `${CHUNKED}2\r\nok\r\n0\r\n\n`, 'ok'),
  brokenOff('a bad trailer', '9112 7.1.2', `${CHUNKED}2\r\nok\r\n0\r\nX y\r\n\r\n`, 'ok'),
  brokenOff(
    'a length as a trailer',
    '9110 6.5.1',
    `${CHUNKED}2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n`,
    'ok',
  ),
  brokenOff(
    'a size past 64 bits',
    '9112 7.1',
    `${CHUNKED}2\r\nok\r\n10000000000000002\r\nok\r\n0\r\n\r\n`,
    'ok',
  ),
  {
    name: 'a reset tells an HTTP/1.0 client that a body is not whole',
    rfc: '9112 8',
    send: 'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n',
    answer: `${CHUNKED}2\r\nok\r\n`,
    closing: 'end',
    upstream: ONE,
    client: [{ status: 200 }],
    connection: 'closed',
  },
  answered(
    'an answer behind the answer',
    '9112 11.1',
    `${OK_LINE}${FRAMED}HTTP/1.1 200 OK\r\nX-Secret: 1\r\n${FRAMED}`,
    { status: 200, body: 'ok', hasNot: ['x-secret'] },
    {
      send: [get('', '/1'), get('', '/2')],
      upstream: [{ start: 'GET /1 HTTP/1.1' }, { start: 'GET /2 HTTP/1.1' }],
      client: [
        { status: 200, hasNot: ['x-secret'] },
        { status: 200, hasNot: ['x-secret'] },
      ],
    },
  ),
  answered(
    'more than the length',
    '9112 11.1',
    `${OK_LINE}Content-Length: 2\r\n\r\nok, and more`,
    { status: 200, body: 'ok' },
    {
      send: [get('', '/1'), get('', '/2')],
      upstream: [{}, {}],
      client: [...OK, ...OK],
    },
  ),
  answered(
    'more than the last chunk',
    '9112 11.1',
    `${CHUNKED}2\r\nok\r\n0\r\n\r\nmore`,
    { status: 200, body: 'ok' },
    {
      send: [get('', '/1'), get('', '/2')],
      upstream: [{}, {}],
      client: [...OK, ...OK],
    },
  ),
];
