import { answered, chunked, get, OK, ONE, passed, type Case } from './case.ts';

function dropped(name: string, field: string, rfc = '9110 7.6.1'): Case {
  const [key = ''] = field.split(':');
  return passed(name, rfc, get(`${field}\r\n`), { hasNot: [key.toLowerCase()] });
}

function droppedFromAnswer(field: string): Case {
  const [key = ''] = field.split(':');
  return answered(
    `an answer’s ${key} goes no further`,
    '9110 7.6.1',
    `HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 2\r\n\r\nok`,
    { status: 200, body: 'ok', hasNot: [key.toLowerCase()] },
  );
}

/** What a gateway adds, passes on and keeps: RFC 9110 sections 6.5 and 7.6, RFC 7239. */
export const forwarding: readonly Case[] = [
  dropped('Keep-Alive', 'Keep-Alive: timeout=5'),
  dropped('Proxy-Connection', 'Proxy-Connection: keep-alive'),
  dropped('Upgrade without Connection', 'Upgrade: h2c'),
  dropped('TE without trailers', 'TE: gzip'),
  dropped('Proxy-Authorization', 'Proxy-Authorization: Basic eA==', '9110 11.7.2'),
  dropped('Proxy, which CGI would believe', 'Proxy: http://evil.example'),
  dropped('a path that frameworks would believe', 'X-Original-URL: /admin'),
  dropped('another path that frameworks would believe', 'X-Rewrite-URL: /admin'),
  dropped('what only the edge may say', 'X-Turnout-Visitor: x'),
  dropped('what only the edge may say, with underscores', 'X_Turnout_Visitor: x'),
  passed(
    'a field that Connection names',
    '9110 7.6.1',
    get('Connection: x-hop\r\nX-Hop: 1\r\nX-A: 2\r\n'),
    {
      hasNot: ['x-hop'],
      has: { 'x-a': '2' },
    },
  ),
  passed(
    'fields that several Connections name',
    '9110 7.6.1',
    get('Connection: close, X-One\r\nX-One: 1\r\nX-Two: 2\r\nConnection: x-two\r\n'),
    { hasNot: ['x-one', 'x-two'] },
  ),
  passed(
    'Connection cannot take our fields away',
    '9110 7.6.1',
    get('Connection: x-forwarded-for, x-request-id, forwarded, via\r\n'),
    {
      has: { 'x-forwarded-for': '127.0.0.1', forwarded: /^for=127\.0\.0\.1;/, via: /turnout/ },
    },
  ),
  passed(
    'Connection cannot take a cookie away',
    '9110 7.6.1',
    get('Connection: cookie\r\nCookie: a=b\r\n'),
    {
      has: { cookie: 'a=b' },
    },
  ),
  passed(
    'Connection cannot take the length away',
    '9110 7.6.1',
    `${get('Connection: content-length\r\nContent-Length: 3\r\n')}abc`,
    {
      body: 'abc',
    },
  ),
  passed(
    'an upgrade to h2c goes no further',
    '9110 7.8',
    get(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
    ),
    {
      hasNot: ['upgrade', 'http2-settings'],
    },
  ),
  passed('TE: trailers', '9110 10.1.4', get('TE: trailers, gzip;q=0.5\r\n'), {
    has: { te: 'trailers' },
  }),
  passed('duplicates stay apart and in order', '9110 5.3', get('X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n'), {
    has: { 'x-b': '2' },
  }),
  passed('a range', '9110 14.2', get('Range: bytes=0-1\r\nIf-Range: "x"\r\n'), {
    has: { range: 'bytes=0-1', 'if-range': '"x"' },
  }),
  passed('Authorization', '9110 11.6.2', get('Authorization: Basic eA==\r\n'), {
    has: { authorization: 'Basic eA==' },
  }),
  passed('Via is added', '9110 7.6.3', get(), { has: { via: /^1\.1 turnout-\w+$/ } }),
  passed('Via of another hop stays', '9110 7.6.3', get('Via: 1.0 fred\r\n'), {
    start: 'GET / HTTP/1.1',
  }),
  passed(
    'Via names the protocol that the request came by',
    '9110 7.6.3',
    'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n',
    {
      has: { via: /^1\.0 / },
    },
  ),
  passed(
    'X-Forwarded-For is what the connection says',
    '7239 8.1',
    get('X-Forwarded-For: 1.2.3.4\r\n'),
    {
      has: { 'x-forwarded-for': '127.0.0.1' },
    },
  ),
  passed(
    'X-Forwarded-Proto is what the connection says',
    '7239 8.1',
    get('X-Forwarded-Proto: https\r\n'),
    {
      has: { 'x-forwarded-proto': 'http' },
    },
  ),
  passed('X-Forwarded-Host is Host', '7239 8.1', get('X-Forwarded-Host: evil.example\r\n'), {
    has: { 'x-forwarded-host': 'a.test' },
  }),
  passed(
    'Forwarded is what the connection says',
    '7239 8.1',
    get('Forwarded: for=1.2.3.4;proto=https\r\n'),
    {
      has: { forwarded: 'for=127.0.0.1;host=a.test;proto=http' },
    },
  ),
  passed(
    'other spellings of X-Forwarded-For',
    '7239 8.1',
    get('X_Forwarded_For: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX-Forwarded-Port: 1\r\n'),
    {
      hasNot: ['x_forwarded_for', 'x-real-ip', 'x-forwarded-port'],
    },
  ),

  passed(
    'trailers',
    '9110 6.5',
    chunked('3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n', 'Trailer: X-Sum\r\n'),
    {
      body: 'abc',
      trailers: { 'x-sum': '1' },
      has: { trailer: 'X-Sum' },
    },
  ),
  passed(
    'trailers that must not be any',
    '9110 6.5.1',
    chunked(
      '3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: b.test\r\nCookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\nX-Turnout-Visitor: x\r\n\r\n',
      'Trailer: X-Sum\r\n',
    ),
    { trailers: { 'x-sum': '1' } },
  ),
  passed(
    'a Trailer without trailers',
    '9110 6.6.2',
    chunked('3\r\nabc\r\n0\r\n\r\n', 'Trailer: X-Sum\r\n'),
    {
      body: 'abc',
      trailers: {},
    },
  ),
  passed(
    'a Trailer of a body by length',
    '9110 6.6.2',
    `${get('Trailer: X-Sum\r\nContent-Length: 3\r\n')}abc`,
    {
      body: 'abc',
    },
  ),
  answered(
    'an answer’s trailers',
    '9110 6.5',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
    { status: 200, body: 'ok', trailers: { 'x-sum': '1' } },
    { connection: 'kept' },
  ),
  answered(
    'an answer’s trailers that must not be any',
    '9110 6.5.1',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\nLocation: /\r\n\r\n',
    { status: 200, body: 'ok', trailers: { 'x-sum': '1' } },
  ),
  {
    name: 'an answer’s trailers and an HTTP/1.0 client',
    rfc: '9112 7.1.2',
    send: 'GET / HTTP/1.0\r\nHost: a.test\r\n\r\n',
    answer:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
    upstream: ONE,
    client: [{ status: 200, body: 'ok', hasNot: ['x-sum'] }],
  },

  droppedFromAnswer('Proxy-Connection: close'),
  droppedFromAnswer('Upgrade: h2c'),
  droppedFromAnswer('Proxy-Authenticate: Basic'),
  answered(
    'what an answer’s Connection names',
    '9110 7.6.1',
    'HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, hasNot: ['x-hop'], has: { 'x-a': '2' } },
  ),
  answered(
    'an answer’s Connection: close is between upstream and edge',
    '9112 9.6',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, body: 'ok' },
    { connection: 'kept' },
  ),
  answered(
    'cookies stay apart',
    '6265 3',
    'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, body: 'ok' },
  ),
  answered(
    'a part of a whole',
    '9110 15.3.7',
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/10\r\nContent-Length: 2\r\n\r\nok',
    { status: 206, has: { 'content-range': 'bytes 0-1/10' }, body: 'ok' },
  ),
  answered(
    'a range that cannot be',
    '9110 15.5.17',
    'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n',
    { status: 416, has: { 'content-range': 'bytes */10' }, body: '' },
  ),
  {
    name: 'the connection is kept',
    rfc: '9112 9.3',
    send: get(),
    upstream: ONE,
    client: OK,
    connection: 'kept',
  },
  {
    name: 'Connection: close',
    rfc: '9112 9.6',
    send: get('Connection: close\r\n'),
    upstream: ONE,
    client: [{ status: 200, body: 'ok', has: { connection: 'close' } }],
    connection: 'closed',
  },
  {
    name: 'Connection: Close among others',
    rfc: '9112 9.6',
    send: get('Connection: x-a , CLOSE\r\n'),
    upstream: ONE,
    client: [{ status: 200, body: 'ok' }],
    connection: 'closed',
  },
];
