import { get, ONE, refused, type AnswerExpectation, type Case } from './case.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

interface Handshake {
  readonly connection?: string;
  readonly upgrade?: string;
  readonly key?: string;
  readonly version?: string;
  readonly more?: string;
}

/** An opening handshake; an empty string leaves its field out. */
function handshake(parts: Handshake = {}): string {
  const fields = {
    Connection: parts.connection ?? 'Upgrade',
    Upgrade: parts.upgrade ?? 'websocket',
    'Sec-WebSocket-Key': parts.key ?? KEY,
    'Sec-WebSocket-Version': parts.version ?? '13',
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== '');
  return get(lines.map(([name, value]) => `${name}: ${value}\r\n`).join('') + (parts.more ?? ''));
}

function switching(fields: string, status = '101 Switching Protocols'): string {
  return `HTTP/1.1 ${status}\r\n${fields}\r\n`;
}

const ACCEPTED = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`;

/** A handshake that the upstream answers like this. */
function opened(
  name: string,
  rfc: string,
  answer: string,
  client: AnswerExpectation,
  more: Partial<Case> = {},
): Case {
  return { name, rfc, send: handshake(), answer, upstream: ONE, client: [client], ...more };
}

/** Opening handshakes: RFC 6455 section 4. */
export const webSocket: readonly Case[] = [
  opened(
    'a handshake',
    '6455 4.2.2',
    switching(ACCEPTED),
    {
      status: 101,
      has: { 'sec-websocket-accept': ACCEPT, upgrade: 'websocket', connection: /^upgrade$/i },
    },
    {
      upstream: [
        {
          has: {
            connection: /^upgrade$/i,
            upgrade: 'websocket',
            'sec-websocket-key': KEY,
            'sec-websocket-version': '13',
            'x-forwarded-for': '127.0.0.1',
            via: /turnout/,
          },
        },
      ],
    },
  ),
  opened(
    'a handshake with a protocol',
    '6455 4.2.2',
    switching(`${ACCEPTED}Sec-WebSocket-Protocol: chat\r\n`),
    {
      status: 101,
      has: { 'sec-websocket-protocol': 'chat' },
    },
    {
      send: handshake({ more: 'Sec-WebSocket-Protocol: chat, superchat\r\n' }),
      upstream: [{ has: { 'sec-websocket-protocol': 'chat, superchat' } }],
    },
  ),
  opened(
    'a handshake with an extension',
    '6455 9.1',
    switching(`${ACCEPTED}Sec-WebSocket-Extensions: permessage-deflate\r\n`),
    {
      status: 101,
      has: { 'sec-websocket-extensions': 'permessage-deflate' },
    },
    {
      send: handshake({
        more: 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n',
      }),
    },
  ),
  opened(
    'a handshake in other spellings',
    '6455 4.2.1',
    switching(ACCEPTED.replace('websocket', 'WebSocket').replace('Upgrade\r', 'upgrade\r')),
    {
      status: 101,
    },
    { send: handshake({ connection: 'keep-alive, UPGRADE', upgrade: 'WebSocket' }) },
  ),
  opened(
    'the origin is the upstream’s to judge',
    '6455 4.2.2',
    'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno',
    { status: 403, body: 'no' },
    {
      send: handshake({ more: 'Origin: https://evil.example\r\n' }),
      upstream: [{ has: { origin: 'https://evil.example' } }],
    },
  ),
  opened(
    'an upstream that asks for a log-in',
    '6455 4.2.2',
    'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno',
    {
      status: 401,
      has: { 'www-authenticate': 'Basic' },
      body: 'no',
    },
  ),
  opened(
    'an upstream that redirects',
    '6455 4.2.2',
    'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n',
    {
      status: 302,
      has: { location: '/x' },
    },
  ),
  opened(
    'an upstream that answers as if it were a request',
    '6455 4.1',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, body: 'ok' },
    { connection: 'closed' },
  ),

  refused('no key', '6455 4.2.1', handshake({ key: '' })),
  refused('a key of 15 bytes', '6455 4.2.1', handshake({ key: 'AAAAAAAAAAAAAAAAAAAA' })),
  refused('a key of 17 bytes', '6455 4.2.1', handshake({ key: 'AAAAAAAAAAAAAAAAAAAAAAA=' })),
  refused('a key that is no base64', '6455 4.2.1', handshake({ key: 'dGhlIHNhbXBsZSBub25j!Q==' })),
  refused('two keys', '6455 11.3.1', handshake({ more: `Sec-WebSocket-Key: ${KEY}\r\n` })),
  refused('no version', '6455 4.2.1', handshake({ version: '' }), [400, 426]),
  ...['8', '0', '14', '13a', '+13', '013', '255', '13, 8'].map((version) =>
    refused(`the version ${version}`, '6455 4.4', handshake({ version }), [400, 426]),
  ),
  {
    ...refused(
      'a version that is not ours is told which is',
      '6455 4.4',
      handshake({ version: '8' }),
    ),
    client: [{ status: 426, has: { 'sec-websocket-version': '13', upgrade: 'websocket' } }],
  },
  refused(
    'two versions',
    '6455 11.3.5',
    handshake({ more: 'Sec-WebSocket-Version: 13\r\n' }),
    [400, 426],
  ),
  {
    name: 'a POST is a request',
    rfc: '6455 4.2.1',
    send: handshake().replace('GET', 'POST'),
    upstream: [{ start: 'POST / HTTP/1.1', hasNot: ['upgrade'] }],
    client: [{ status: 200 }],
  },
  refused('HTTP/1.0', '6455 4.2.1', handshake().replace('HTTP/1.1', 'HTTP/1.0'), [400, 505]),
  refused('a body', '6455 4.2.1', `${handshake({ more: 'Content-Length: 3\r\n' })}abc`),
  refused(
    'a body in chunks',
    '6455 4.2.1',
    `${handshake({ more: 'Transfer-Encoding: chunked\r\n' })}0\r\n\r\n`,
  ),
  refused('two Hosts', '6455 4.2.1', handshake({ more: 'Host: b.test\r\n' })),
  refused('a bad field', '9112 5.1', handshake({ more: 'X-A : 1\r\n' })),
  {
    name: 'a Host that is not ours',
    rfc: '9110 15.5.20',
    send: handshake().replace('a.test', 'other.example'),
    upstream: 'nothing',
    client: [{ status: 421 }],
    connection: 'closed',
  },
  {
    name: 'Upgrade without Connection is a request',
    rfc: '9110 7.8',
    send: handshake({ connection: '' }),
    upstream: [{ hasNot: ['upgrade'] }],
    client: [{ status: 200 }],
  },
  {
    name: 'another protocol is a request',
    rfc: '9110 7.8',
    send: handshake({ upgrade: 'h2c' }),
    upstream: [{ hasNot: ['upgrade'] }],
    client: [{ status: 200 }],
  },

  opened(
    'an answer that is none to this key',
    '6455 4.2.2',
    switching(ACCEPTED.replace(ACCEPT, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=')),
    { status: 502 },
    { connection: 'closed' },
  ),
  opened(
    'an answer without the key’s answer',
    '6455 4.2.2',
    switching('Connection: Upgrade\r\nUpgrade: websocket\r\n'),
    { status: 502 },
  ),
  opened(
    'an answer with two of them',
    '6455 4.2.2',
    switching(`${ACCEPTED}Sec-WebSocket-Accept: ${ACCEPT}\r\n`),
    { status: 502 },
  ),
  opened(
    'an answer that switches to another protocol',
    '6455 4.2.2',
    switching(ACCEPTED.replace('websocket', 'h2c')),
    { status: 502 },
  ),
  opened(
    'an answer without a protocol',
    '6455 4.2.2',
    switching(`Connection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`),
    { status: 502 },
  ),
  opened(
    'an answer without Connection',
    '6455 4.2.2',
    switching(`Upgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`),
    { status: 502 },
  ),
  opened('an answer that is no HTTP', '9112 4', 'hello\r\n\r\n', { status: 502 }),
  opened('no answer', '9112 8', '', { status: 502 }, { closing: 'end' }),
  opened('a bad field in the answer', '9112 5.1', switching(`${ACCEPTED}X-A : 1\r\n`), {
    status: 502,
  }),
  opened('LF alone in the answer', '9112 2.2', switching(ACCEPTED).replaceAll('\r\n', '\n'), {
    status: 502,
  }),
  opened(
    'hop-by-hop fields of the answer',
    '9110 7.6.1',
    switching(`${ACCEPTED}Keep-Alive: timeout=5\r\nX-A: 1\r\n`),
    {
      status: 101,
      hasNot: ['keep-alive'],
      has: { 'x-a': '1' },
    },
  ),
];
