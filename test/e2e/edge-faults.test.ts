import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { metricValue } from '../kit/metrics.ts';
import { hasRedis, startRedis } from '../kit/redis-server.ts';
import { freePort } from '../kit/server-process.ts';
import { startSlowUpstream, type SlowUpstream } from '../kit/slow-upstream.ts';

const CLI = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

let upstream: SlowUpstream;
const edges: EdgeProcess[] = [];

beforeEach(async () => {
  upstream = await startSlowUpstream();
});
afterEach(async () => {
  await Promise.all(edges.splice(0).map((edge) => edge.remove()));
  await upstream.close();
});

const EXPERIMENTS = [
  {
    key: 'home',
    status: 'running',
    scope: { paths: ['/'] },
    variants: [{ key: 'control', upstream: 'site', weight: 100, control: true }],
  },
];

function config(more: Readonly<Record<string, unknown>> = {}) {
  return { upstreams: { site: { url: upstream.url } }, default: 'site', ...more };
}

async function start(
  more: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<EdgeProcess> {
  const edge = await startEdge({ config: config(more), env });
  edges.push(edge);
  return edge;
}

async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function handshake(path: string, host: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
}

/** All that the other side sends until it ends. */
async function everything(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  if (!socket.readableEnded) await once(socket, 'end');
  return text;
}

async function metric(edge: EdgeProcess, name: string): Promise<number> {
  return metricValue(await edge.metrics(), name);
}

test('a handshake that is refused and reset at once ends no worker', async () => {
  const edge = await start();
  for (let i = 0; i < 50; i++) {
    const socket = await openSocket(edge.url);
    socket.write(handshake('/', i % 2 === 0 ? 'evil.example' : '127.0.0.1'));
    socket.resetAndDestroy();
  }
  for (let i = 0; i < 10; i++) expect((await send(`${edge.url}/`)).text).toBe('quick');
  expect(edge.logged('worker died, starting another')).toEqual([]);
});

test('a refused handshake is closed even if its client never closes, and holds up no drain', async () => {
  const edge = await start({ drain: '30s' });
  const refused = await openSocket(edge.url);
  const answer = everything(refused);
  refused.write(handshake('/', 'evil.example'));
  expect(await answer).toMatch(/^HTTP\/1\.1 421 /);
  const own = await openSocket(edge.url);
  const ownAnswer = everything(own);
  own.write(handshake('/_turnout/v1/assignments', '127.0.0.1'));
  expect(await ownAnswer).toMatch(/^HTTP\/1\.1 404 /);
  const began = performance.now();
  expect(await edge.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(15_000);
  refused.destroy();
  own.destroy();
});

test('a request with two hosts is refused before any upstream sees it', async () => {
  const edge = await start();
  const socket = await openSocket(edge.url);
  const answer = everything(socket);
  socket.end('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost\r\n\r\n');
  expect(await answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('one connection can not take every place at an upstream by pipelining', async () => {
  const edge = await start();
  const socket = await openSocket(edge.url);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(2_000));
  await closed;
  expect((await send(`${edge.url}/`)).text).toBe('quick');
  expect(upstream.waiting.length).toBeLessThanOrEqual(8);
  await expect.poll(() => metric(edge, 'turnout_requests_in_flight')).toBe(0);
});

test('a ledger that breaks while it serves costs no worker and no visitor', async () => {
  // A port that stays the same when the only worker is replaced.
  const edge = await start(
    { experiments: EXPERIMENTS, public: { port: await freePort() } },
    { TURNOUT_WORKERS: '1' },
  );
  const first = await send(`${edge.url}/`);
  const cookie = visitorCookie(first) ?? '';
  await Promise.all(
    ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm'].map((file) =>
      writeFile(join(edge.dataDir, file), 'this is no database'),
    ),
  );
  await expect.poll(() => edge.logged('request').length).toBe(1);
  process.kill(Number(edge.logged('request')[0]?.['pid']), 'SIGKILL');
  await expect.poll(() => metric(edge, 'turnout_worker_restarts_total')).toBe(1);
  await expect.poll(() => metric(edge, 'turnout_workers')).toBe(1);
  const again = await send(`${edge.url}/`, { ...NAVIGATION, cookie });
  expect([again.status, visitorCookie(again)]).toEqual([200, undefined]);
  await expect
    .poll(() => edge.logged('the ledger cannot be opened: routing by cookie and hash').length)
    .toBe(1);
});

test('what no edge would write into the ledger costs no worker', async () => {
  const edge = await start({ experiments: EXPERIMENTS }, { TURNOUT_WORKERS: '1' });
  const cookie = visitorCookie(await send(`${edge.url}/_turnout/v1/assignments`)) ?? '';
  const ledger = new DatabaseSync(join(edge.dataDir, 'ledger.sqlite'));
  const spoil = ledger.prepare('UPDATE assignment SET phase = 9999999999');
  await expect.poll(() => spoil.run().changes).toBe(1);
  ledger.close();
  await edge.stop();
  const again = await startEdge({
    config: config({ experiments: EXPERIMENTS }),
    dataDir: edge.dataDir,
    workers: 1,
  });
  edges.push(again);
  for (let visit = 0; visit < 3; visit++) await send(`${again.url}/`, { ...NAVIGATION, cookie });
  expect((await send(`${again.url}/`)).status).toBe(200);
  expect(await metric(again, 'turnout_worker_restarts_total')).toBe(0);
});

test('requests under way end well when the primary is killed', async () => {
  const edge = await start();
  const slow = send(`${edge.url}/slow`);
  await expect.poll(() => upstream.waiting.length).toBe(1);
  await edge.kill();
  upstream.waiting[0]?.end('at last');
  expect((await slow).text).toBe('at last');
});

test.runIf(hasRedis())(
  'a Redis that hangs makes no scrape slow or stale, and is told in the log',
  async () => {
    const redis = await startRedis();
    try {
      const more = Array.from({ length: 4 }, (_, index) => ({
        ...EXPERIMENTS[0],
        key: `e${index}`,
      }));
      const edge = await start({ experiments: more }, { TURNOUT_REDIS_URL: redis.url });
      // The first worker serves before the second is up; each is to have known a Redis that answers.
      await expect.poll(() => metric(edge, 'turnout_workers')).toBe(2);
      await send(`${edge.url}/`);
      redis.pause();
      for (let i = 0; i < 20; i++) expect((await send(`${edge.url}/`)).status).toBe(200);
      const began = performance.now();
      await expect.poll(() => metric(edge, 'turnout_requests_total')).toBe(21);
      expect(performance.now() - began).toBeLessThan(5_000);
      const said = (message: string) => () => edge.logged(message).length;
      await expect
        .poll(said('the ledger is out of reach: routing by cookie and hash'), { timeout: 15_000 })
        .toBeGreaterThan(0);
      redis.resume();
      // An estimate: two of 21 visitors fall together once in 80 times.
      await expect
        .poll(() => metric(edge, 'turnout_unique_visitors'), { timeout: 15_000 })
        .toBeGreaterThanOrEqual(20);
      await expect
        .poll(said('the ledger is back: what was decided meanwhile is being written'), {
          timeout: 15_000,
        })
        .toBeGreaterThan(0);
    } finally {
      await redis.stop();
    }
  },
);

describe('a log that can not be written', () => {
  test.each(['a full disk', 'a reader that is gone'])(
    '%s: the edge serves, and ends',
    async (how) => {
      const folder = await mkdtemp(join(tmpdir(), 'turnout-log-'));
      const [port, privatePort] = [await freePort(), await freePort()];
      const file = join(folder, 'turnout.yaml');
      await writeFile(
        file,
        JSON.stringify(config({ public: { port }, private: { port: privatePort }, workers: 1 })),
      );
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [CLI, 'serve', '--config', file], {
        stdio: ['ignore', how === 'a full disk' ? full : 'pipe', 'ignore'],
      });
      child.stdout?.destroy();
      const exited = once(child, 'exit');
      try {
        await expect
          .poll(
            () =>
              send(`http://127.0.0.1:${privatePort}/readyz`).then(({ status }) => status, String),
            {
              timeout: 30_000,
            },
          )
          .toBe(200);
        // Enough lines to be written many times over.
        for (let i = 0; i < 200; i++) {
          expect((await send(`http://127.0.0.1:${port}/`)).text).toBe('quick');
        }
        const text = (await send(`http://127.0.0.1:${privatePort}/metrics`)).text;
        expect(metricValue(text, 'turnout_worker_restarts_total')).toBe(0);
        child.kill('SIGTERM');
        expect(await exited).toEqual([0, null]);
      } finally {
        child.kill('SIGKILL');
        await exited;
        closeSync(full);
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
