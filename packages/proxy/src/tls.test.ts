import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../test/authority.ts';
import { frontOf, httpServer, httpsServer, rawExchange, upstreamAt } from '../test/loopback.ts';
import { upgradeFrontOf } from '../test/upgrade-front.ts';

const authority = createAuthority();
const tls = { ca: authority.ca };

/** What a client asks for must change nothing about the connection behind. */
const hosts = ['elsewhere.example', 'localhost', '127.0.0.1', 'a.example:1234'];

function get(host: string, fields = ''): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${fields}\r\n`;
}

function handshake(host: string): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
}

/** Tells each connection's server name; answers requests with their Host, and echoes upgrades. */
async function secureServer(certified: string) {
  const names: (string | false | null)[] = [];
  const requests: IncomingMessage[] = [];
  const { server, port } = await httpsServer(authority.issue(certified), (request, response) => {
    requests.push(request);
    response.end(request.headers.host);
  });
  server.on('secureConnection', (socket: TLSSocket) => names.push(socket.servername));
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    requests.push(request);
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    );
    socket.end(`${request.headers.host}`);
  });
  return { port, names, requests };
}

describe('requests', () => {
  test.each([
    ['localhost', 'localhost'],
    ['127.0.0.1', false],
  ])('the connection to https://%s is the same for every Host', async (name, expectedName) => {
    const { port, names } = await secureServer(name);
    const front = await frontOf(upstreamAt(port, { url: `https://${name}:${port}`, tls }));
    for (const host of hosts) {
      const answer = await rawExchange(front.port, get(host));
      expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      expect(answer.endsWith(`\r\n\r\n${host}`)).toBe(true);
    }
    expect(names).toEqual([expectedName]);
  });

  test('a name that the certificate does not hold: refused, though a client may ask for one that it does', async () => {
    const { port, requests } = await secureServer('elsewhere.example');
    const front = await frontOf(upstreamAt(port, { url: `https://localhost:${port}`, tls }));
    expect(await rawExchange(front.port, get('elsewhere.example'))).toMatch(/^HTTP\/1.1 503 /);
    expect(await front.outcome()).toMatchObject({
      kind: 'failed',
      error: { code: 'refused', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } },
    });
    expect(requests).toHaveLength(0);
  });

  test('an authority that nobody named: refused', async () => {
    const { port, requests } = await secureServer('localhost');
    for (const trust of [{}, { tls: { ca: createAuthority().ca } }]) {
      const upstream = upstreamAt(port, { url: `https://localhost:${port}`, ...trust });
      const front = await frontOf(upstream);
      expect(await rawExchange(front.port, get('localhost'))).toMatch(/^HTTP\/1.1 503 /);
      const outcome = await front.outcome();
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'refused' } });
      expect(outcome.kind === 'failed' && outcome.error.message).toMatch(
        /: refused: .*certificate/,
      );
    }
    expect(requests).toHaveLength(0);
  });

  test('a server that speaks no TLS: refused', async () => {
    const { port } = await httpServer((_request, response) => response.end());
    const front = await frontOf(upstreamAt(port, { url: `https://localhost:${port}`, tls }));
    expect(await rawExchange(front.port, get('localhost'))).toMatch(/^HTTP\/1.1 503 /);
  });

  test('a Location on the upstream moves to the public origin', async () => {
    const { port } = await httpsServer(authority.issue('localhost'), (_request, response) => {
      response.writeHead(302, { Location: `https://localhost:${port}/next?a=1` }).end();
    });
    const front = await frontOf(upstreamAt(port, { url: `https://localhost:${port}`, tls }));
    expect(await rawExchange(front.port, get('a'))).toContain(
      '\r\nLocation: http://shop.example/next?a=1\r\n',
    );
  });

  test('only a connection that has answered before may be to blame for its death', async () => {
    let requests = 0;
    const { port } = await httpsServer(authority.issue('localhost'), (request, response) => {
      requests++;
      if (requests === 2) response.end('ok');
      else request.socket.destroy();
    });
    const front = await frontOf(upstreamAt(port, { url: `https://localhost:${port}`, tls }));
    expect(await rawExchange(front.port, get('a'))).toMatch(/^HTTP\/1.1 502 /);
    expect(requests).toBe(1);
    expect(await rawExchange(front.port, get('a'))).toMatch(/^HTTP\/1.1 200 /);
    expect(requests).toBe(2);
    // Dies on reuse, is tried once more on a new connection, and dies there.
    expect(await rawExchange(front.port, get('a'))).toMatch(/^HTTP\/1.1 502 /);
    expect(requests).toBe(4);
  });

  test('one of several authorities is enough', async () => {
    const { port } = await secureServer('localhost');
    const ca = `# ours\n${createAuthority().ca}\n${authority.ca}`;
    const front = await frontOf(
      upstreamAt(port, { url: `https://localhost:${port}`, tls: { ca } }),
    );
    expect(await rawExchange(front.port, get('a'))).toMatch(/^HTTP\/1.1 200 /);
  });

  test('NODE_EXTRA_CA_CERTS adds an authority', async () => {
    const { port } = await secureServer('localhost');
    const folder = await mkdtemp(join(tmpdir(), 'proxy-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'ca.pem');
    await writeFile(file, authority.ca);
    const script = `
      import { createUpstream } from ${JSON.stringify(import.meta.resolve('./upstream.ts'))};
      const upstream = createUpstream({ name: 'test', url: 'https://localhost:${port}' });
      const path = '/', method = 'GET';
      const answer = await upstream.dispatcher.request({ path, method });
      console.log(answer.statusCode, await answer.body.text());
      await upstream.close();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: file } },
    );
    expect(stdout).toBe(`200 localhost:${port}\n`);
  });
});

describe('upgrades', () => {
  test.each([
    ['localhost', 'localhost'],
    ['127.0.0.1', false],
  ])('the connection to https://%s is the same for every Host', async (name, expectedName) => {
    const { port, names } = await secureServer(name);
    const upstream = upstreamAt(port, { url: `https://${name}:${port}`, tls });
    const front = await upgradeFrontOf(upstream);
    for (const host of hosts) {
      const answer = await rawExchange(front.port, handshake(host));
      expect(answer).toMatch(/^HTTP\/1.1 101 /);
      expect(answer.endsWith(`\r\n\r\n${host}`)).toBe(true);
      expect(await front.outcome()).toMatchObject({ kind: 'completed', status: 101 });
    }
    expect(names).toEqual(hosts.map(() => expectedName));
  });

  test('a certificate for another name, or by another authority: refused', async () => {
    const { port, requests } = await secureServer('elsewhere.example');
    for (const trust of [{ tls }, {}]) {
      const upstream = upstreamAt(port, { url: `https://localhost:${port}`, ...trust });
      const front = await upgradeFrontOf(upstream);
      expect(await rawExchange(front.port, handshake('elsewhere.example'))).toMatch(
        /^HTTP\/1.1 503 /,
      );
      expect(await front.outcome()).toMatchObject({ kind: 'failed', error: { code: 'refused' } });
    }
    expect(requests).toHaveLength(0);
  });
});
