import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { httpServer, Queue } from '../test/loopback.ts';
import { requestHeaders } from './request-headers.ts';
import { createClientOf, type TrustedHopsOptions } from './trusted-hops.ts';
import type { Client } from './forwarded.ts';

/** Who a real request over loopback is found to be of, and what upstreams are told. */
async function found(
  headers: Record<string, string>,
  options: Partial<TrustedHopsOptions> = {},
): Promise<{ client: Client; told: Record<string, string> }> {
  const clientOf = createClientOf({
    addresses: ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'],
    fields: 'x-forwarded',
    ...options,
  });
  const seen = new Queue<IncomingMessage>();
  const { port } = await httpServer((request, response) => {
    seen.put(request);
    response.end();
  });
  httpRequest({ port, host: '127.0.0.1', headers: { host: 'shop.example', ...headers } })
    .on('response', (answer) => answer.resume())
    .end();
  const request = await seen.take();
  const client = clientOf(request);
  const flat = requestHeaders(request.rawHeaders, { client });
  const told: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) told[flat[i] ?? ''] = flat[i + 1] ?? '';
  return { client, told };
}

describe('by X-Forwarded-*', () => {
  test('one hop that ends TLS', async () => {
    const { client, told } = await found({
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
    });
    expect(client).toMatchObject({ address: '203.0.113.7', proto: 'https', host: 'shop.example' });
    expect(told).toMatchObject({
      'X-Forwarded-For': '203.0.113.7, 127.0.0.1',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'shop.example',
      Forwarded: 'for=203.0.113.7;host=shop.example;proto=https, for=127.0.0.1',
    });
  });

  test('what the client itself wrote before the last trusted hop goes nowhere', async () => {
    const { client, told } = await found({
      'x-forwarded-for': '1.1.1.1, 10.9.9.9, 203.0.113.7, 10.0.0.1',
    });
    expect(client.address).toBe('203.0.113.7');
    expect(told['X-Forwarded-For']).toBe('203.0.113.7, 10.0.0.1, 127.0.0.1');
  });

  test.each([
    ['203.0.113.7:51234', '203.0.113.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
    ['fd00::1', 'fd00::1'],
    ['10.0.0.1', '10.0.0.1'],
    // What is no address says nothing: the hop itself is who is known.
    ['unknown', '127.0.0.1'],
    ['_hidden', '127.0.0.1'],
    ['203.0.113.7; DROP TABLE', '127.0.0.1'],
    ['', '127.0.0.1'],
    [',,,', '127.0.0.1'],
  ])('%j', async (value, address) => {
    expect((await found({ 'x-forwarded-for': value })).client.address).toBe(address);
  });

  test.each([
    ['https', 'https'],
    ['HTTPS', 'https'],
    ['https, http', 'http'],
    ['http, https', 'https'],
    ['wss', 'http'],
    ['', 'http'],
  ])('the protocol %j', async (value, proto) => {
    expect((await found({ 'x-forwarded-proto': value })).client.proto).toBe(proto);
  });

  test('Forwarded and X-Forwarded-Host are not believed: hops pass them on as clients wrote them', async () => {
    const { client } = await found({
      forwarded: 'for=1.1.1.1;proto=https',
      'x-forwarded-host': 'evil.example',
    });
    expect(client).toEqual({ address: '127.0.0.1', proto: 'http', host: 'shop.example' });
  });
});

describe('by Forwarded', () => {
  test.each([
    ['for=203.0.113.7;proto=https', '203.0.113.7', 'https'],
    ['For="[2001:db8::1]:443"; Proto=HTTPS', '2001:db8::1', 'https'],
    ['for=1.1.1.1, for=203.0.113.7;proto=https', '203.0.113.7', 'https'],
    ['for=203.0.113.7;proto=https, for=10.0.0.1', '203.0.113.7', 'http'],
    ['for="a,b;c=\\"d\\""', '127.0.0.1', 'http'],
    ['for=unknown', '127.0.0.1', 'http'],
    ['nonsense', '127.0.0.1', 'http'],
  ])('%s', async (forwarded, address, proto) => {
    const { client } = await found({ forwarded }, { fields: 'forwarded' });
    expect(client).toMatchObject({ address, proto });
  });
});

test('nobody else is believed', async () => {
  const { client } = await found(
    { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' },
    { addresses: ['192.0.2.0/24'] },
  );
  expect(client).toEqual({ address: '127.0.0.1', proto: 'http', host: 'shop.example' });
});

test.each(['10.0.0.0/33', 'fd00::/129', '10.0.0', 'proxy.example', '10.0.0.0/', '10.0.0.0/8/8'])(
  '%s is no network',
  (address) => {
    expect(() => createClientOf({ addresses: [address], fields: 'x-forwarded' })).toThrow(
      `expected an address or network such as 10.0.0.0/8 or fd00::/8, got "${address}"`,
    );
  },
);
