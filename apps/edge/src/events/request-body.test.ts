import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { readBody, type BodyFailure } from './request-body.ts';

const MAX = 10;
const LONG = 30_000;

/** Reads the body of one request over a real connection; `then` is what its client does next. */
async function read(
  text: string,
  patience = LONG,
  then: (client: Socket) => void = () => {},
): Promise<Buffer | BodyFailure> {
  const outcome = Promise.withResolvers<Buffer | BodyFailure>();
  const server = createServer((request) => {
    readBody(request, MAX, patience).then(outcome.resolve, outcome.reject);
    then(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
  const client = connect(address.port, '127.0.0.1').on('error', () => {});
  client.write(`POST / HTTP/1.1\r\nHost: x\r\n${text}`);
  try {
    return await outcome.promise;
  } finally {
    client.destroy();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}

test.each([
  ['as long as it says', 'Content-Length: 5', 'hello', Buffer.from('hello')],
  [
    'in chunks',
    'Transfer-Encoding: chunked',
    '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
    Buffer.from('hello'),
  ],
  ['of no bytes', 'Content-Length: 0', '', Buffer.alloc(0)],
  [
    'of as many bytes as there may be',
    'Content-Length: 10',
    '0123456789',
    Buffer.from('0123456789'),
  ],
  ['that says it is too long', 'Content-Length: 11', '', 'too-large'],
  [
    'that proves too long',
    'Transfer-Encoding: chunked',
    '6\r\n012345\r\n6\r\n678901\r\n',
    'too-large',
  ],
] as const)('a body %s', async (_, head, body, expected) => {
  expect(await read(`${head}\r\n\r\n${body}`)).toEqual(expected);
});

test('a body that does not come in time', async () => {
  expect(await read('Content-Length: 5\r\n\r\nhe', 20)).toBe('too-slow');
});

test('a body whose client leaves', async () => {
  const left = await read('Content-Length: 5\r\n\r\nhe', LONG, (client) => client.destroy());
  expect(left).toBe('gone');
});
