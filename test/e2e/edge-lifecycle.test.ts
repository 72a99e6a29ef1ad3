import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { send } from '../kit/http.ts';
import { metricValue } from '../kit/metrics.ts';
import { startSlowUpstream, type SlowUpstream } from '../kit/slow-upstream.ts';

let upstream: SlowUpstream;
let edge: EdgeProcess;

beforeEach(async () => {
  upstream = await startSlowUpstream();
  edge = await startEdge({ config: config('30s') });
});
afterEach(async () => {
  await edge.remove();
  await upstream.close();
});

function config(drain: string) {
  return { upstreams: { site: { url: upstream.url } }, default: 'site', drain };
}

async function requestPid(): Promise<number> {
  const answer = await send(`${edge.url}/`);
  const id = answer.headers['x-request-id'];
  const line = await expect
    .poll(() => edge.logged('request').find((entry) => entry['id'] === id))
    .toBeDefined()
    .then(() => edge.logged('request').find((entry) => entry['id'] === id));
  return Number(line?.['pid']);
}

function allWorkersListen(): Promise<void> {
  return expect.poll(async () => metricValue(await edge.metrics(), 'turnout_workers')).toBe(2);
}

/** How a connection with one request ends. */
function endOf(url: string): Promise<'answered' | 'closed'> {
  const socket = ask(url, 'close');
  let isAnswered = false;
  socket.on('data', () => {
    isAnswered = true;
  });
  return new Promise((resolve) => {
    socket.on('close', () => resolve(isAnswered ? 'answered' : 'closed'));
  });
}

/** A connection that stays open after its first answer. */
async function keptAlive(url: string): Promise<Socket> {
  const socket = ask(url, 'keep-alive');
  await once(socket, 'data');
  return socket;
}

function ask(url: string, connection: string): Socket {
  const { port, hostname, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  // A connection that is reset is closed, too.
  socket.on('error', () => {});
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: ${connection}\r\n\r\n`);
  return socket;
}

test('a killed worker is replaced, and the counts of all requests stay', async () => {
  // With the last one the port goes, and another is chosen where the system chooses.
  await allWorkersListen();
  for (let i = 0; i < 20; i++) await send(`${edge.url}/`);
  await expect
    .poll(async () => metricValue(await edge.metrics(), 'turnout_requests_total'))
    .toBe(20);
  process.kill(await requestPid(), 'SIGKILL');
  await expect
    .poll(async () => metricValue(await edge.metrics(), 'turnout_worker_restarts_total'))
    .toBe(1);
  await expect.poll(async () => metricValue(await edge.metrics(), 'turnout_workers')).toBe(2);
  // Whether the killed worker was scraped after its last request is open by one.
  const counted = metricValue(await edge.metrics(), 'turnout_requests_total');
  expect(counted).toBeGreaterThanOrEqual(20);
  expect((await send(`${edge.url}/`)).status).toBe(200);
  expect((await send(`${edge.privateUrl}/readyz`)).status).toBe(200);
});

test('a worker that dies leaves no connection hanging, not even one that it had not taken', async () => {
  await allWorkersListen();
  const pid = await requestPid();
  // It takes nothing any more: the primary goes on holding what it hands over to it.
  process.kill(pid, 'SIGSTOP');
  const ends = Array.from({ length: 20 }, () => endOf(edge.url));
  const open = Promise.resolve('open' as const);
  const answered = () => Promise.all(ends.map((end) => Promise.race([end, open])));
  // Each worker is given one at a time, so the other answers all but one.
  await expect
    .poll(async () => (await answered()).toSorted())
    .toEqual([...Array<string>(19).fill('answered'), 'open']);
  process.kill(pid, 'SIGKILL');
  await expect
    .poll(async () => (await answered()).toSorted(), { timeout: 5_000 })
    .toEqual([...Array<string>(19).fill('answered'), 'closed']);
  expect((await send(`${edge.url}/`)).status).toBe(200);
});

test('connections are spread evenly over the workers', async () => {
  await allWorkersListen();
  const idle: Socket[] = [];
  try {
    for (let i = 0; i < 40; i++) idle.push(await keptAlive(edge.url));
    const answers = () => edge.logged('request').map((line) => Number(line['pid']));
    await expect.poll(() => answers().length).toBe(40);
    const pids = [...new Set(answers())];
    const counts = pids.map((pid) => answers().filter((one) => one === pid).length);
    expect(counts).toEqual([20, 20]);
  } finally {
    for (const socket of idle) socket.destroy();
  }
});

test('workers that keep dying are replaced ever more slowly', async () => {
  await allWorkersListen();
  for (let restarts = 1; restarts <= 3; restarts++) {
    process.kill(await requestPid(), 'SIGKILL');
    await expect
      .poll(async () => metricValue(await edge.metrics(), 'turnout_worker_restarts_total'))
      .toBe(restarts);
    await expect.poll(async () => metricValue(await edge.metrics(), 'turnout_workers')).toBe(2);
  }
  const waits = edge
    .logged('worker died, starting another')
    .map((line) => Number(line['replacedIn']));
  expect(waits).toEqual([100, 200, 400]);
});

test('SIGTERM lets a request under way end, takes no new one, and exits with 0', async () => {
  const slow = send(`${edge.url}/slow`);
  await expect.poll(() => upstream.waiting.length).toBe(1);
  const stopped = edge.stop();
  await expect.poll(async () => (await send(`${edge.privateUrl}/readyz`)).status).toBe(503);
  // One that came just before the port was closed may be reset, or wait for the edge's end.
  const another = () =>
    Promise.race([send(`${edge.url}/`).then(() => 'answered', String), sleep(500, 'waiting')]);
  await expect.poll(another, { timeout: 5_000 }).toContain('ECONNREFUSED');
  upstream.waiting[0]?.end('at last');
  const answer = await slow;
  expect([answer.status, answer.text]).toEqual([200, 'at last']);
  expect(await stopped).toBe(0);
});

test('a request that never ends is cut off when the drain time is over', async () => {
  await edge.remove();
  edge = await startEdge({ config: config('500ms') });
  const slow = send(`${edge.url}/slow`);
  await expect.poll(() => upstream.waiting.length).toBe(1);
  const [cut, code] = await Promise.allSettled([slow, edge.stop()]);
  expect(cut).toMatchObject({ status: 'rejected', reason: { code: 'UND_ERR_SOCKET' } });
  expect(code).toEqual({ status: 'fulfilled', value: 0 });
});

test('workers end when the primary was killed', async () => {
  const worker = await requestPid();
  await edge.kill();
  await expect.poll(() => isAlive(worker)).toBe(false);
});

test('the private port answers health, and nothing else', async () => {
  const status = async (path: string) => (await send(`${edge.privateUrl}${path}`)).status;
  expect(await status('/healthz')).toBe(200);
  expect(await status('/readyz')).toBe(200);
  expect(await status('/')).toBe(404);
  expect((await send(`${edge.privateUrl}/metrics`, {}, 'POST')).status).toBe(405);
  // And visitors can not reach it through the public one.
  expect((await send(`${edge.url}/metrics`)).text).toBe('quick');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
