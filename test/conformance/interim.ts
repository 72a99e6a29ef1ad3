import { answered, badAnswer, get, OK, ONE, passed, post, type Case } from './case.ts';

const EXPECTING = post('Expect: 100-continue\r\nContent-Length: 3\r\n');
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Expectations and interim answers: RFC 9110 sections 10.1.1 and 15.2, RFC 8297. */
export const interim: readonly Case[] = [
  {
    name: 'the upstream says when to continue',
    rfc: '9110 10.1.1',
    send: [EXPECTING, 'abc'],
    early: CONTINUE,
    upstream: [{ has: { expect: '100-continue' }, body: 'abc' }],
    client: [{ status: 100 }, ...OK],
    connection: 'kept',
  },
  {
    name: 'the upstream refuses before the body',
    rfc: '9110 10.1.1',
    send: EXPECTING,
    early: 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n',
    upstream: 'incomplete',
    client: [{ status: 413 }],
    connection: 'closed',
  },
  {
    name: 'the upstream redirects before the body',
    rfc: '9110 10.1.1',
    send: EXPECTING,
    early: 'HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n',
    upstream: 'incomplete',
    client: [{ status: 307, has: { location: '/x' } }],
  },
  {
    name: 'a client that does not wait',
    rfc: '9110 10.1.1',
    send: post('Expect: 100-continue\r\nContent-Length: 3\r\n', 'abc'),
    upstream: [{ body: 'abc' }],
    client: OK,
  },
  {
    name: 'a body in chunks behind an expectation',
    rfc: '9110 10.1.1',
    send: [post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n'), '3\r\nabc\r\n0\r\n\r\n'],
    early: CONTINUE,
    upstream: [{ body: 'abc' }],
    client: [{ status: 100 }, ...OK],
  },
  {
    name: 'an expectation in capitals',
    rfc: '9110 10.1.1',
    send: [post('Expect: 100-Continue\r\nContent-Length: 3\r\n'), 'abc'],
    early: CONTINUE,
    upstream: [{ body: 'abc' }],
    client: [{ status: 100 }, ...OK],
  },
  passed('an expectation without a body', '9110 10.1.1', get('Expect: 100-continue\r\n'), {
    hasNot: ['expect'],
  }),
  {
    name: 'an expectation by HTTP/1.0 is none',
    rfc: '9110 10.1.1',
    send: 'POST / HTTP/1.0\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
    upstream: [{ hasNot: ['expect'], body: 'abc' }],
    client: OK,
  },
  {
    name: 'another expectation',
    rfc: '9110 10.1.1',
    send: post('Expect: 200-ok\r\nContent-Length: 0\r\n'),
    upstream: 'nothing',
    client: [{ status: 417 }],
  },
  answered(
    'early hints',
    '8297 2',
    HINTS + FINAL,
    { status: 103 },
    {
      client: [{ status: 103, has: { link: '</a.css>; rel=preload' } }, ...OK],
      connection: 'kept',
    },
  ),
  answered(
    'early hints twice',
    '8297 2',
    HINTS + HINTS + FINAL,
    { status: 103 },
    {
      client: [{ status: 103 }, { status: 103 }, ...OK],
    },
  ),
  answered(
    'processing',
    '2518 10.1',
    `HTTP/1.1 102 Processing\r\n\r\n${FINAL}`,
    { status: 102 },
    {
      client: [{ status: 102 }, ...OK],
    },
  ),
  answered(
    'an interim answer that nobody knows',
    '9110 15.2',
    `HTTP/1.1 199 X\r\n\r\n${FINAL}`,
    { status: 199 },
    {
      client: [{ status: 199 }, ...OK],
    },
  ),
  {
    name: 'early hints and an HTTP/1.0 client',
    rfc: '9110 15.2',
    send: 'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n',
    answer: HINTS + FINAL,
    upstream: ONE,
    client: OK,
  },
  answered(
    'hop-by-hop fields of early hints',
    '9110 7.6.1',
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n${FINAL}`,
    { status: 103 },
    { client: [{ status: 103, hasNot: ['connection', 'x-hop'], has: { link: '</a>' } }, ...OK] },
  ),
  answered(
    'a 100 that nobody asked for',
    '9110 15.2',
    CONTINUE + FINAL,
    { status: 200, body: 'ok' },
    {
      connection: 'kept',
    },
  ),
  answered('a 100 with fields', '9110 15.2', `HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n${FINAL}`, {
    status: 200,
    body: 'ok',
  }),
  answered('several 100s', '9110 15.2', CONTINUE + CONTINUE + FINAL, { status: 200, body: 'ok' }),
  answered(
    'a 100 between early hints',
    '9110 15.2',
    HINTS + CONTINUE + HINTS + FINAL,
    { status: 103 },
    {
      client: [{ status: 103 }, { status: 103 }, ...OK],
    },
  ),
  badAnswer('a 100 and nothing else', '9110 15.2', CONTINUE, { closing: 'end' }),
  badAnswer(
    'a 101 that nobody asked for',
    '9110 15.2.2',
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\nX-Secret: 1\r\n\r\n${FINAL}`,
  ),
  badAnswer(
    'a 101 without a protocol',
    '9110 15.2.2',
    `HTTP/1.1 101 Switching Protocols\r\nX-Secret: 1\r\n\r\n${FINAL}`,
  ),
  answered(
    'early hints without end',
    '9110 15.2',
    HINTS.repeat(100),
    { status: 103 },
    { client: [...Array.from({ length: 16 }, () => ({ status: 103 })), { status: 502 }] },
  ),
  answered(
    'early hints with a coding',
    '9112 6.1',
    `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${FINAL}`,
    {
      status: 502,
    },
  ),
];
