import { createHistogram } from 'node:perf_hooks';
import autocannon from 'autocannon';
import type { LoadOrder, LoadResult } from './load.ts';
import { NAVIGATION } from './navigation.ts';
import { PAGE } from './page.ts';

// A process of its own, so that the generator's work is in nobody's CPU figure. Gets
// orders, answers each with its result.

/** How often autocannon looks whether time is up, in ms. */
const SAMPLE_EVERY = 100;

process.once('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  void drive(order).then((result) => process.send?.(result));
});

async function drive(order: LoadOrder): Promise<LoadResult> {
  // autocannon's own latencies are whole milliseconds, which is what we want to tell apart.
  const latency = createHistogram();
  let completed = 0;
  const started = performance.now();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(optionsFor(order), (error: unknown, outcome) => {
      if (error === null) resolve(outcome);
      else reject(error);
    });
    run.on('response', (_client, _status, _bytes, milliseconds) => {
      completed++;
      latency.record(Math.max(1, Math.round(milliseconds * 1_000)));
    });
  });
  return {
    requests: completed,
    seconds: (performance.now() - started) / 1_000,
    p50: latency.count === 0 ? 0 : latency.percentile(50) / 1_000,
    p99: latency.count === 0 ? 0 : latency.percentile(99) / 1_000,
    failures: {
      'connection errors': result.errors - result.timeouts,
      timeouts: result.timeouts,
      'answers other than 2xx': result.non2xx,
      'wrong bodies': result.mismatches,
      // One for each connection is cut off by the end of the round. More are requests that
      // a server closed the connection on, which autocannon counts as no error.
      'requests never answered': Math.max(0, result.requests.sent - completed - order.connections),
    },
  };
}

function optionsFor({ url, cookies, connections, duration }: LoadOrder): autocannon.Options {
  let clients = 0;
  return {
    url,
    connections,
    duration,
    sampleInt: SAMPLE_EVERY,
    headers: NAVIGATION,
    expectBody: PAGE,
    setupClient(client) {
      const first = clients++;
      if (cookies.length === 0) return;
      // Every connection has visitors of its own, and goes round them.
      const requests = [];
      for (let i = first % cookies.length; i < cookies.length; i += connections) {
        requests.push({ headers: { Cookie: cookies[i] } });
      }
      client.setRequests(requests);
    },
  };
}
