import { describe, expect, test } from 'vitest';
import { createAuthority } from '../../../../proxy/test/authority.ts';
import {
  allTroubles,
  findings,
  listenBare,
  listenWithTls,
  startSite,
  troubles,
} from '../testing/site.ts';

test('a clean set-up has no trouble in any check, and is only read', async () => {
  await using site = await startSite();
  const examined = await site.examine();
  expect(allTroubles(examined)).toEqual([]);
  expect(examined.map(({ name }) => name)).toEqual([
    'configuration',
    'upstreams',
    'links',
    'assets',
    'service-workers',
    'cookies',
    'forwarding',
    'ledger',
    'experiments',
    'caching',
  ]);
  const told = findings(examined, 'upstreams').map(({ where, level }) => `${level} ${where}`);
  expect(told).toEqual(['ok control /', 'ok next /', 'ok control /plans', 'ok next /plans']);
  expect(findings(examined, 'upstreams')[0]).toMatchObject({
    got: expect.stringMatching(/^200 in \d+ ms, keep-alive$/),
  });
  expect(site.methods).toEqual(new Set());
});

/** What is told of `next` when it is at this url. */
async function problemOf(url: string, timeout?: number): Promise<unknown> {
  await using site = await startSite();
  const upstreams = { control: { url: site.urls['control'] }, next: { url } };
  const examined = await site.examine({ upstreams }, timeout === undefined ? {} : { timeout });
  return troubles(examined, 'upstreams').filter(({ where }) => where.startsWith('next'));
}

function failed(got: string, fix: string): unknown {
  return [
    expect.objectContaining({
      level: 'error',
      where: 'next',
      got: expect.stringContaining(got),
      fix: expect.stringContaining(fix),
    }),
  ];
}

describe('an upstream that gives no answer is told once, with the reason', () => {
  test('refused', async () => {
    const server = await listenBare(() => {});
    await server.close();
    expect(await problemOf(server.url)).toEqual(
      failed(`${server.url} refused the connection: nothing listens there`, 'Start it'),
    );
  });

  test('silent', async () => {
    const server = await listenBare(() => {});
    try {
      expect(await problemOf(server.url, 300)).toEqual(
        failed('gave no whole answer within 300 ms', '--timeout'),
      );
    } finally {
      await server.close();
    }
  });

  test('no HTTP', async () => {
    const server = await listenBare((socket) => void socket.end('SSH-2.0-OpenSSH\r\n'));
    try {
      expect(await problemOf(server.url)).toEqual(
        failed('answered with something that is not HTTP/1.1', 'what listens on that port'),
      );
    } finally {
      await server.close();
    }
  });

  test('broken off', async () => {
    const server = await listenBare((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy()),
      ),
    );
    try {
      expect(await problemOf(server.url)).toEqual(
        failed('broke the connection off before its answer was complete', 'its log'),
      );
    } finally {
      await server.close();
    }
  });

  test('a certificate that nobody vouches for', async () => {
    const server = await listenWithTls(createAuthority().issue('127.0.0.1'));
    try {
      expect(await problemOf(server.url.replace('http:', 'https:'))).toEqual(
        failed('has a certificate that is not trusted', 'NODE_EXTRA_CA_CERTS'),
      );
    } finally {
      await server.close();
    }
  });

  test('TLS where there is none', async () => {
    await using site = await startSite();
    const url = site.urls['control']?.replace('http:', 'https:') ?? '';
    expect(await problemOf(url)).toEqual(failed('failed the TLS handshake', 'Write http://'));
  });
});

test('a page that one variant lacks, and one that fails', async () => {
  await using site = await startSite({
    next: { '/plans': { status: 404 }, '/': { status: 500, body: 'oops' } },
  });
  expect(troubles(await site.examine(), 'upstreams')).toMatchObject([
    { level: 'error', where: 'next /', got: 'status 500' },
    {
      level: 'error',
      where: 'next /plans',
      got: 'status 404',
      expected: expect.stringContaining('another variant'),
    },
  ]);
});

test('a path that is no page of anybody asks for another', async () => {
  await using site = await startSite({
    control: { '/plans': { status: 404 } },
    next: { '/plans': { status: 404 } },
  });
  const found = troubles(await site.examine(), 'upstreams');
  expect(found.map(({ level, where }) => [level, where])).toEqual([
    ['warning', 'control /plans'],
    ['warning', 'next /plans'],
  ]);
  expect(found[0]?.fix).toContain('--page');
});

test('--page adds pages', async () => {
  await using site = await startSite({
    next: { '/plans/7': { status: 410 } },
    control: { '/plans/7': {} },
  });
  const examined = await site.examine({}, { paths: ['/plans/7'] });
  expect(troubles(examined, 'upstreams')).toMatchObject([
    { where: 'next /plans/7', got: 'status 410' },
  ]);
});

test('connections that are closed after each answer', async () => {
  const closing = { headers: { Connection: 'close', 'Content-Type': 'text/plain' }, body: 'bye' };
  await using site = await startSite({ next: { '/': closing, '/plans': closing } });
  expect(troubles(await site.examine(), 'upstreams')).toMatchObject([
    { level: 'warning', where: 'next', got: 'an answer that closes its connection' },
  ]);
});

test('an upstream that only routes go to need not have a home page', async () => {
  await using site = await startSite({ next: { '/': { status: 404 } } });
  const examined = await site.examine({ experiments: [] });
  expect(troubles(examined, 'upstreams')).toEqual([]);
  expect(findings(examined, 'upstreams')).toContainEqual(
    expect.objectContaining({ where: 'next /', got: expect.stringContaining('404') }),
  );
});
