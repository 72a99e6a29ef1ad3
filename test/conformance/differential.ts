import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Arbitrary } from 'fast-check';
import { Client } from 'undici';
import { readAnswers, readRequests, valuesOf, type Message } from '../kit/http-messages.ts';
import { RawClient } from '../kit/raw-client.ts';
import { OK_ANSWER, type RawUpstream } from '../kit/raw-upstream.ts';
import { mutated } from './mutation.ts';

/*
 * What the edge forwards is read by three readers that know nothing of each other: ours, node's
 * server and undici's client. They must agree on how many messages there are and what is in
 * them, whatever came in on the other side.
 */

const PATIENCE = 5_000;
/** How long bytes that ask for nothing are waited for, in ms. */
const QUIET = 100;
/** Behind what was changed: if the edge still knows where it is, it answers and closes. */
const LAST = 'GET /last HTTP/1.1\r\nHost: fuzz.test\r\nConnection: close\r\n\r\n';
const REQUEST_ID = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/;

const REQUESTS = [
  'GET /a?b=c HTTP/1.1\r\nHost: fuzz.test\r\nAccept: */*\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: fuzz.test\r\nContent-Length: 5\r\n\r\nabcde',
  'POST /a HTTP/1.1\r\nHost: fuzz.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3;x=y\r\nfgh\r\n0\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: fuzz.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n5\r\nabcde\r\n0\r\nX-A: 1\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: fuzz.test\r\nContent-Length: 51\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: fuzz.test\r\nX-A: 1\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: fuzz.test\r\n\r\nGET /b HTTP/1.1\r\nHost: fuzz.test\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: fuzz.test\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: fuzz.test\r\nX-B: 2\r\n\r\n',
  'HEAD /a HTTP/1.0\r\nHost: fuzz.test\r\nConnection: keep-alive\r\n\r\n',
] as const;

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n3;a=b\r\nrst\r\n0\r\nX-A: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nfirst',
  'HTTP/1.1 200 OK\r\nContent-Length: 79\r\n\r\nHTTP/1.1 200 OK\r\nX-Smuggled: 1\r\nContent-Length: 8\r\n\r\nsmuggledHTTP/1.1 200 OK\r\n\r\n',
] as const;

const SECOND = 'HTTP/1.1 200 OK\r\nX-Second: 1\r\nContent-Length: 6\r\n\r\nsecond';

export const mutatedRequests: Arbitrary<string> = mutated(REQUESTS);
export const mutatedAnswers: Arbitrary<string> = mutated(ANSWERS);

/**
 * Sends bytes to the edge and holds what reached the upstream against them.
 *
 * @throws {Error} when readers disagree on it, or the edge did not send it as a request
 */
export async function checkRequests(
  port: number,
  upstream: RawUpstream,
  bytes: string,
): Promise<void> {
  upstream.script = { answer: OK_ANSWER };
  const client = new RawClient(port);
  client.send(bytes + LAST);
  await client.until(() => client.ended, QUIET);
  client.finish();
  const ended = await client.until(() => client.ended, PATIENCE);
  client.destroy();
  if (!ended) throw new Error('the edge does not end the connection');
  await upstream.settled();
  const ids = new Set<string>();
  for (const sent of upstream.take()) {
    const byNode = await requestsByNode(sent);
    const { messages, problem } = readRequests(sent);
    const complete = messages.filter((message) => message.complete);
    if (problem !== undefined) throw new Error(`reached the upstream: ${problem}`);
    const byUs = complete.map(({ start, body }) => `${start.replace(/ HTTP.*/, '')} ${body}`);
    if (byUs.join('\n') !== byNode.join('\n')) {
      throw new Error(`node reads ${JSON.stringify(byNode)}, we read ${JSON.stringify(byUs)}`);
    }
    for (const { fields } of complete) {
      if (valuesOf(fields, 'host').length !== 1) throw new Error('not one Host');
      // No client can write these: what has none was never a request to the edge.
      const [id = '', ...more] = valuesOf(fields, 'x-request-id');
      if (!REQUEST_ID.test(id) || more.length > 0 || ids.has(id)) {
        throw new Error(`a request that the edge did not send: ${sent}`);
      }
      ids.add(id);
    }
  }
}

/**
 * Has the upstream answer a request with these bytes, and the next one on the same connection
 * as it should.
 *
 * @throws {Error} when readers disagree on what the client got, or a byte of one answer shows up
 *   in the other
 */
export async function checkAnswer(
  port: number,
  upstream: RawUpstream,
  bytes: string,
): Promise<void> {
  upstream.script = {
    answer: ({ start }) => (start.startsWith('GET /first ') ? bytes : SECOND),
    closing: 'later',
  };
  const client = new RawClient(port);
  const answers = (): readonly Message[] =>
    readAnswers(client.bytes, [], client.ended).messages.filter(
      ({ start }) => !start.startsWith('HTTP/1.1 1'),
    );
  client.send('GET /first HTTP/1.1\r\nHost: fuzz.test\r\n\r\n');
  await client.until(() => client.ended || answers().at(0)?.complete === true, PATIENCE);
  const first = client.bytes;
  if (!client.ended) {
    client.send('GET /second HTTP/1.1\r\nHost: fuzz.test\r\n\r\n');
    await client.until(() => client.ended || answers().at(1)?.complete === true, PATIENCE);
    client.finish();
  }
  const ended = await client.until(() => client.ended, PATIENCE);
  client.destroy();
  await upstream.settled();
  upstream.take();
  if (!ended) throw new Error('the edge does not end the connection');
  const { problem } = readAnswers(client.bytes, [], true);
  if (problem !== undefined) throw new Error(`reached the client: ${problem}`);
  const [one, two, ...more] = answers();
  if (one === undefined || more.length > 0) throw new Error(`${answers().length} answers came`);
  if (valuesOf(one.fields, 'x-second').length > 0) throw new Error('the second answer came first');
  if (two !== undefined && two.body !== 'second' && !/^HTTP\/1.1 50[234] /.test(two.start)) {
    throw new Error(`the second answer is ${JSON.stringify(two)}`);
  }
  const byUs = one.complete ? `${one.start.slice(9, 12)} ${one.body}` : 'broken off';
  const byUndici = await answerByUndici(first);
  if (byUs !== byUndici) throw new Error(`undici reads ${byUndici}, we read ${byUs}`);
}

let nodeReader: { port: number; requests: string[] } | undefined;

/** What node's strict server reads, up to what it cannot read. */
async function requestsByNode(bytes: string): Promise<string[]> {
  nodeReader ??= await openNodeReader();
  const { port, requests } = nodeReader;
  requests.length = 0;
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.resume().end(bytes, 'latin1');
  await once(socket, 'close');
  return [...requests];
}

async function openNodeReader(): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => (body += text));
    request.on('end', () => {
      if (request.complete) requests.push(`${request.method} ${request.url} ${body}`);
      response.end();
    });
    request.on('error', () => {});
  });
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return { port: portOf(server.address()), requests };
}

/** What undici's client reads of an answer, interim ones left out. */
async function answerByUndici(bytes: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes, 'latin1'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Client(`http://127.0.0.1:${portOf(server.address())}`);
  try {
    const answer = await client.request({ path: '/', method: 'GET' });
    const body = Buffer.from(await answer.body.arrayBuffer()).toString('latin1');
    return `${answer.statusCode} ${body}`;
  } catch {
    return 'broken off';
  } finally {
    await client.destroy();
    server.close();
    await delay(0);
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
  return address.port;
}
