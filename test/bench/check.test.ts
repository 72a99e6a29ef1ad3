import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { checkPage, checkProxy } from './check.ts';
import { ECHO_PATH, PAGE } from './page.ts';

// Each contender here is a server that does the whole job, but for one thing.

/** What the origin would get from a proxy that does everything right. */
interface Job {
  page: string;
  cookie: string | undefined;
  headers: Record<string, string | undefined>;
}

const experiment = {
  key: 'home',
  variants: [
    { key: 'control', weight: 50 },
    { key: 'A', weight: 50 },
  ],
};
const VISITORS = 200;

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Expected a TCP port');
  return `http://127.0.0.1:${address.port}`;
}

/** A contender whose work `spoil` may change before it is sent. */
function contender(spoil: (job: Job, visitor: number, request: IncomingMessage) => void) {
  let visitors = 0;
  return serve((request, response) => {
    const known = /visitor=(\d+)/.exec(request.headers.cookie ?? '')?.[1];
    const visitor = known === undefined ? visitors++ : Number(known);
    const job: Job = {
      page: PAGE,
      cookie: known === undefined ? `visitor=${visitor}; Path=/` : undefined,
      headers: {
        host: request.headers.host,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': request.headers.host,
        'x-forwarded-proto': 'http',
        'x-request-id': 'r1',
        'x-turnout-assignments': `home=${visitor % 2 === 0 ? 'A' : 'control'}`,
      },
    };
    spoil(job, visitor, request);
    if (job.cookie !== undefined) response.setHeader('Set-Cookie', job.cookie);
    response.end(request.url === ECHO_PATH ? JSON.stringify({ headers: job.headers }) : job.page);
  });
}

function check(url: string) {
  const { signal } = new AbortController();
  return checkProxy({ url, experiment, visitors: VISITORS, signal });
}

test('a contender that does the job passes, and hands its visitors over', async () => {
  const cookies = await check(await contender(() => {}));
  expect(cookies.length).toBeGreaterThanOrEqual(VISITORS);
  expect(cookies[0]).toMatch(/^visitor=\d+$/);
});

describe('a contender fails that', () => {
  test.each<[string, string, Parameters<typeof contender>[0]]>([
    ['cuts the page', 'the size of the page', (job) => (job.page = PAGE.slice(1))],
    ['changes the page', 'other bytes', (job) => (job.page = PAGE.replace('Plans', 'plans'))],
    ['changes Host', 'Host at the origin', (job) => (job.headers['host'] = 'elsewhere')],
    ['forgets the address', 'X-Forwarded-For', (job) => delete job.headers['x-forwarded-for']],
    ['forgets the host', 'X-Forwarded-Host', (job) => delete job.headers['x-forwarded-host']],
    ['invents a protocol', 'X-Forwarded-Proto', (job) => (job.headers['x-forwarded-proto'] = 's')],
    ['forgets the request id', 'X-Request-Id', (job) => delete job.headers['x-request-id']],
    ['mints no visitor', 'set a cookie', (job) => (job.cookie = undefined)],
    ['sets the cookie again', 'cookie set for a', (job) => (job.cookie ??= 'visitor=7')],
    [
      'moves visitors',
      'variant of a returning visitor',
      ({ headers }, _visitor, request) => {
        if (request.headers.cookie) headers['x-turnout-assignments'] = 'home=B';
      },
    ],
    [
      'gives everyone the same',
      'expected 50 % of',
      ({ headers }) => (headers['x-turnout-assignments'] = 'home=A'),
    ],
  ])('%s', async (_name, message, spoil) => {
    await expect(check(await contender(spoil))).rejects.toThrow(message);
  });

  test('answers an error', async () => {
    const url = await serve((_request, response) => response.writeHead(503).end());
    const { signal } = new AbortController();
    await expect(checkPage(url, signal)).rejects.toThrow('the status to be 200, got 503');
  });
});
