import { once } from 'node:events';
import { createServer } from 'node:http';
import { trafficReportSchema, type TrafficReport } from '@turnout/contracts/traffic';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send, visitorCookie } from '../kit/http.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';

// What the edge counts for ramps: by variant, over all workers, and from one start to the next.

let upstreams: LightUpstreams;
const failing = createServer((_request, response) => response.writeHead(500).end('broken'));

beforeAll(async () => {
  upstreams = await startLightUpstreams(['shop']);
  failing.listen(0, '127.0.0.1');
  await once(failing, 'listening');
});
afterAll(async () => {
  await upstreams.close();
  const closed = once(failing, 'close');
  failing.close();
  failing.closeAllConnections();
  await closed;
});

function start(dataDir?: string): Promise<EdgeProcess> {
  const address = failing.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return startEdge({
    config: {
      upstreams: { ...upstreams.config, failing: { url: `http://127.0.0.1:${address.port}` } },
      default: 'shop',
      experiments: [
        {
          key: 'home',
          status: 'running',
          scope: { paths: ['/'] },
          variants: [
            { key: 'control', upstream: 'shop', weight: 50, control: true },
            { key: 'B', upstream: 'failing', weight: 50 },
          ],
        },
      ],
    },
    ...(dataDir !== undefined && { dataDir }),
  });
}

async function traffic(edge: EdgeProcess): Promise<TrafficReport> {
  const answer = await send(`${edge.privateUrl}/v1/traffic`);
  expect(answer).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  });
  return trafficReportSchema.parse(JSON.parse(answer.text));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

test('counts requests, failures, new visitors and first bytes of each variant', async () => {
  const edge = await start();
  try {
    expect((await traffic(edge)).variants).toEqual([]);

    const visits = 30;
    const served = { control: 0, B: 0 };
    for (let i = 0; i < visits; i++) {
      const first = await send(`${edge.url}/`);
      served[first.status === 500 ? 'B' : 'control']++;
      const cookie = visitorCookie(first) ?? '';
      // Of a visitor who comes again, and of pages that no experiment is about.
      expect((await send(`${edge.url}/`, { ...NAVIGATION, cookie })).status).toBe(first.status);
      await send(`${edge.url}/elsewhere`, { ...NAVIGATION, cookie });
    }

    // A request is counted once its answer has ended, which the client may see a little earlier.
    await expect
      .poll(async () => sum((await traffic(edge)).variants.map(({ requests }) => requests)))
      .toBe(2 * visits);
    const report = await traffic(edge);
    const variants = new Map(report.variants.map((one) => [one.variant, one]));
    for (const [variant, count] of Object.entries(served)) {
      expect(count).toBeGreaterThan(0);
      expect(variants.get(variant)).toMatchObject({
        experiment: 'home',
        requests: 2 * count,
        serverErrors: variant === 'B' ? 2 * count : 0,
        newVisitors: count,
      });
      const buckets = variants.get(variant)?.firstByte ?? [];
      expect(buckets).toHaveLength(report.firstByteBounds.length + 1);
      expect(Math.min(...buckets)).toBe(0);
      expect(sum(buckets)).toBe(2 * count);
    }
    expect(report.firstByteBounds).toEqual(report.firstByteBounds.toSorted((a, b) => a - b));
  } finally {
    await edge.remove();
  }
});

test('tells one start from the next', async () => {
  const first = await start();
  const { run } = await traffic(first);
  expect((await traffic(first)).run).toBe(run);
  await first.stop();
  const second = await start(first.dataDir);
  try {
    const report = await traffic(second);
    expect(report.variants).toEqual([]);
    expect(report.run).not.toBe(run);
  } finally {
    await second.remove();
  }
});

test('is not to be had on the public port', async () => {
  const edge = await start();
  try {
    expect((await send(`${edge.url}/v1/traffic`)).text).toBe('shop');
    expect((await send(`${edge.privateUrl}/v1/traffic`, NAVIGATION, 'POST')).status).toBe(405);
  } finally {
    await edge.remove();
  }
});
