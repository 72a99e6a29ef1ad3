import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTurnout } from '../kit/edge-process.ts';
import { visitorOfEachFrontend } from '../kit/frontend-visitors.ts';
import { NAVIGATION, send } from '../kit/http.ts';
import { metricValue } from '../kit/metrics.ts';
import { startStack, type StackProcess } from '../kit/stack-process.ts';
import { createCrowd, newVisitors, splitProbability } from '../kit/visitors.ts';

/** WordPress in PHP in Node makes 10 to 25 pages a second: no more than are needed. */
const VISITORS = 300;
/** As many at a time as the slowest frontend has use for. */
const AT_A_TIME = 8;

const visitors = newVisitors(VISITORS);
let stack: StackProcess;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.remove());

/** Each visitor opens `path`; how many were served by another frontend than before. */
async function countMoved(path: string): Promise<number> {
  const crowd = createCrowd(stack.url, AT_A_TIME);
  let moved = 0;
  try {
    await crowd.each(visitors, async (visitor) => {
      const before = visitor.served;
      if ((await crowd.visit(visitor, path)) !== before) moved++;
    });
  } finally {
    await crowd.close();
  }
  return moved;
}

function countServed(): [wordpress: number, next: number, vue: number] {
  const { wordpress = [], next = [], vue = [] } = Object.groupBy(visitors, ({ served }) => served);
  return [wordpress.length, next.length, vue.length];
}

/** Answered well, by the metrics. */
function requestsAnswered(text: string): number[] {
  return [
    { upstream: 'wordpress', variant: 'control' },
    { upstream: 'next', variant: 'A' },
    { upstream: 'vue', variant: 'B' },
  ].map((traffic) => metricValue(text, 'turnout_requests_total', { ...traffic, code: '2xx' }));
}

test('300 fresh visitors are split 50/20/30 over the three frontends', async () => {
  expect(await countMoved('/')).toBe(VISITORS);
  const served = countServed();
  expect(served[0] + served[1] + served[2]).toBe(VISITORS);
  expect(splitProbability(served, [0.5, 0.2, 0.3])).toBeGreaterThan(1e-4);
});

test('each keeps the frontend, and /metrics shows exactly what was sent', async () => {
  expect(await countMoved('/plans')).toBe(0);
  const [wordpress, next, vue] = countServed();
  await expect
    .poll(async () => requestsAnswered(await stack.metrics()), { interval: 500 })
    .toEqual([wordpress * 2, next * 2, vue * 2]);
  const text = await stack.metrics();
  expect(metricValue(text, 'turnout_requests_total')).toBe(VISITORS * 2);
  expect(metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'minted' })).toBe(VISITORS);
  const unique = ['control', 'A', 'B'].map((variant) =>
    metricValue(text, 'turnout_unique_visitors', { variant }),
  );
  expect(unique).toEqual([wordpress, next, vue]);
});

test('turnout doctor finds nothing to mend in the set-up', async () => {
  const inner = ['wordpress', 'next', 'vue', 'api'] as const;
  const { stdout, code } = await runTurnout(['doctor', '--json', '--page', '/plans/soar'], {
    TURNOUT_DATA_DIR: stack.dataDir,
    TURNOUT_PORT: new URL(stack.url).port,
    ...Object.fromEntries(
      inner.map((name) => [
        `TURNOUT_${name.toUpperCase()}_URL`,
        `http://127.0.0.1:${stack.port(name)}`,
      ]),
    ),
  });
  const { checks }: { checks: { name: string; findings: { level: string; got: string }[] }[] } =
    JSON.parse(stdout);
  expect(checks.flatMap(({ findings }) => findings.filter(({ level }) => level !== 'ok'))).toEqual(
    [],
  );
  expect(checks.find(({ name }) => name === 'assets')?.findings).toMatchObject([
    { level: 'ok', got: expect.stringMatching(/^[1-9]\d files, each from the upstream/) },
  ]);
  expect(code).toBe(0);
});

test('a killed frontend is started again; meanwhile its visitors are told so, and only they', async () => {
  const cookies = await visitorOfEachFrontend(stack.url);
  const open = (cookie: string) => send(`${stack.url}/plans`, { ...NAVIGATION, cookie });
  const killed = stack.pid('next');
  process.kill(killed, 'SIGKILL');

  await expect
    .poll(() => open(cookies.next), { interval: 20 })
    .toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      text: expect.stringContaining('We will be right back'),
    });
  const others = await Promise.all([open(cookies.wordpress), open(cookies.vue)]);
  expect(others.map(({ status }) => status)).toEqual([200, 200]);

  await expect
    .poll(() => open(cookies.next), { timeout: 60_000, interval: 250 })
    .toMatchObject({ status: 200, text: expect.stringContaining('data-frontend="next"') });
  expect(stack.pid('next')).not.toBe(killed);
  await expect.poll(() => stack.output()).toContain('next is back');
  expect(stack.output()).toContain('next crashed (signal SIGKILL)');
});

test('Ctrl-C ends all of it', async () => {
  expect(stack.processes().length).toBeGreaterThanOrEqual(5);
  expect(await stack.stop()).toEqual({ code: 0, orphans: [] });
  expect(stack.output()).toMatch(/Stopping …\s+Stopped\.\s*$/);
  await expect(send(`${stack.url}/`)).rejects.toThrow('ECONNREFUSED');
});

test('started again, it has kept every visitor, and all that it knew', async () => {
  const served = countServed();
  stack = await startStack({ dataDir: stack.dataDir });
  expect(await countMoved('/sign-up')).toBe(0);
  expect(countServed()).toEqual(served);
  const text = await stack.metrics();
  // From the ledger: the hash alone would answer the same, but is not asked.
  const sources = ['store', 'hash', 'mirror'].map((source) =>
    metricValue(text, 'turnout_assignments_total', { source }),
  );
  expect(sources).toEqual([VISITORS, 0, 0]);
  expect(metricValue(text, 'turnout_visitor_cookies_total', { outcome: 'minted' })).toBe(0);
});
