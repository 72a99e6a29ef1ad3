import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { History } from '@turnout/contracts/management';
import type { RampState } from '@turnout/contracts/ramp';
import {
  coverageSlot,
  createVisitorCookie,
  slotOf,
  type VisitorCookie,
} from '@turnout/router-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type ApiProcess } from '../kit/api-process.ts';
import { runTurnout, startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send } from '../kit/http.ts';

// Ramps on real processes: an edge with two workers, the API, and upstreams that do well or not.

const SECRET = 'a-secret-of-these-tests-only-1234567890';
/** Requests of each variant that gates wait for. */
const ENOUGH = 30;

/** How the variant's upstream fares, by the first part of the path. */
const failing = new Set<string>();
const slow = new Set<string>();
/** Far beyond what a busy machine makes of an answer that is there at once. */
const SLOW = 600;

const servers: Server[] = [];
async function upstream(name: string): Promise<{ url: string }> {
  const server = createServer(({ url = '/' }, response) => {
    const [, experiment = ''] = url.split('/');
    const status = name === 'next' && failing.has(experiment) ? 500 : 200;
    const answer = () => response.writeHead(status).end(name);
    if (name === 'next' && slow.has(experiment)) setTimeout(answer, SLOW);
    else answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return { url: `http://127.0.0.1:${address.port}` };
}

const TOKEN = 'a-token-of-these-tests-only';

let edge: EdgeProcess;
let api: ApiProcess;
let cookies: VisitorCookie;
let config: Readonly<Record<string, unknown>>;

/** The API on the edge's data folder, so that the edge follows what it publishes. */
function startApiOnEdge(earlier?: ApiProcess): Promise<ApiProcess> {
  const env = {
    TURNOUT_DATA_DIR: edge.dataDir,
    TURNOUT_ADMIN_TOKEN: TOKEN,
    TURNOUT_EDGES: edge.privateUrl,
    TURNOUT_RAMP_EVERY: '100ms',
  };
  return startApi(config, env, earlier);
}

beforeAll(async () => {
  cookies = createVisitorCookie({ secrets: [SECRET], secure: false });
  config = {
    upstreams: { shop: await upstream('shop'), next: await upstream('next') },
    default: 'shop',
    experiments: [],
    cookieSecrets: [SECRET],
  };
  edge = await startEdge({ config });
  api = await startApiOnEdge();
});

afterAll(async () => {
  await api.remove();
  await edge.remove();
  for (const server of servers) {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
});

/** The answer's body. @throws {Error} for any status but 2xx */
async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${api.url}/v1/experiments${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** An experiment on pages of its own, whose coverage is nobody yet. */
async function create(key: string): Promise<void> {
  await ask('POST', '', {
    document: {
      key,
      status: 'running',
      coverage: 0,
      scope: { paths: [`/${key}/**`] },
      variants: [
        { key: 'control', upstream: 'shop', weight: 50, control: true },
        { key: 'B', upstream: 'next', weight: 50 },
      ],
    },
    reason: 'try the new pages',
  });
}

function startRamp(key: string, more: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  return ask('PUT', `/${key}/ramp`, {
    steps: [{ coverage: 100 }, { coverage: 500 }, { coverage: 2_000 }, { coverage: 10_000 }],
    // Only the gate that a test is about is to fail, however busy the machine is.
    gates: { minimumRequests: ENOUGH, firstByte: 100 },
    revision: 1,
    reason: 'go live',
    ...more,
  });
}

async function rampOf(key: string): Promise<RampState> {
  return Object(await ask('GET', `/${key}/ramp`));
}

/** Coverage, author and reason of each revision, oldest first. */
async function historyOf(key: string): Promise<[number, string, string][]> {
  const { revisions }: History = Object(await ask('GET', `/${key}/history`));
  return revisions
    .toReversed()
    .map(({ document, author, reason }) => [document.coverage, author, reason]);
}

/**
 * A visitor whom nobody has assigned yet, at a place of the draws that suits: minted with the
 * edge's own secret, as another edge would have.
 */
function visitor(key: string, suits: (coverage: number, slot: number) => boolean): string {
  for (;;) {
    const id = cookies.mint();
    if (suits(coverageSlot(key, 1, id), slotOf(key, 1, id))) return cookieOf(id);
  }
}

function cookieOf(id: ReturnType<VisitorCookie['mint']>): string {
  return cookies.serialise(id, []).split(';', 1)[0] ?? '';
}

async function visit(key: string, cookie: string): Promise<string> {
  return (await send(`${edge.url}/${key}/`, { ...NAVIGATION, cookie })).text;
}

/** New visitors, so many, who take part from the first step on. */
async function visitAll(
  key: string,
  count: number,
  suits: (slot: number) => boolean = () => true,
): Promise<void> {
  const one = () =>
    visit(
      key,
      visitor(key, (coverage, slot) => coverage < 100 && suits(slot)),
    );
  await Promise.all(Array.from({ length: count }, one));
}

/** Until the edge has taken the first step. */
async function edgeFollows(key: string): Promise<void> {
  const cookie = visitor(key, (coverage, slot) => coverage < 100 && isB(slot));
  await expect.poll(() => visit(key, cookie)).toBe('next');
}

const isB = (slot: number) => slot >= 5_000;

/** Until the ramp is as expected, visitors keep coming. */
async function until(
  key: string,
  expected: Partial<RampState>,
  visits: () => Promise<void>,
): Promise<void> {
  await expect
    .poll(
      async () => {
        await visits();
        return rampOf(key);
      },
      { timeout: 20_000, interval: 50 },
    )
    .toMatchObject(expected);
}

test('a healthy ramp goes 1, 5, 20, 100 %: each step a revision, and taken by the edge', async () => {
  const key = 'healthy';
  await create(key);
  // Each of them takes part from one step on, and gets B then.
  const places = [
    [0, 100],
    [100, 500],
    [500, 2_000],
    [2_000, 10_000],
  ] as const;
  const waiting = places.map(([first, end]) =>
    visitor(key, (coverage, slot) => coverage >= first && coverage < end && isB(slot)),
  );
  expect(await Promise.all(waiting.map((cookie) => visit(key, cookie)))).toEqual(
    waiting.map(() => 'shop'),
  );
  await startRamp(key);
  for (const [step, cookie] of waiting.entries()) {
    await expect.poll(() => visit(key, cookie)).toBe('next');
    const isLast = step === waiting.length - 1;
    await until(key, isLast ? { status: 'done' } : { step: step + 1 }, () => visitAll(key, 40));
  }
  const ramp = 'ramp (admin)';
  expect(await historyOf(key)).toEqual([
    [0, 'admin', 'try the new pages'],
    [100, ramp, 'ramp step 1 of 4: go live'],
    [500, ramp, 'ramp step 2 of 4: all gates pass'],
    [2_000, ramp, 'ramp step 3 of 4: all gates pass'],
    [10_000, ramp, 'ramp step 4 of 4: all gates pass'],
  ]);
});

test('a variant that begins to fail is rolled back, and control goes on', async () => {
  const key = 'failing';
  await create(key);
  await startRamp(key);
  await until(key, { step: 1 }, () => visitAll(key, 40));
  failing.add(key);
  await until(key, { status: 'rolled-back' }, () => visitAll(key, 40));
  const { reason = '' } = await rampOf(key);
  expect(reason).toMatch(
    /^errorRate of B: \d+\.\d % of \d+ answers were 5xx, control had 0\.0 % of \d+; /,
  );
  expect((await historyOf(key)).at(-1)).toEqual([0, 'ramp (admin)', `ramp rolled back: ${reason}`]);
  const cookie = visitor(key, (coverage, slot) => coverage < 100 && isB(slot));
  await expect.poll(() => visit(key, cookie)).toBe('shop');
});

test('a variant that is slower than allowed is rolled back', async () => {
  const key = 'slow';
  slow.add(key);
  await create(key);
  await startRamp(key, { gates: { minimumRequests: ENOUGH, firstByte: 2 } });
  await until(key, { status: 'rolled-back' }, () => visitAll(key, 40));
  expect((await rampOf(key)).reason).toMatch(
    /^firstByte of B: .* surely more than 2 times as long$/,
  );
});

test('a split that is not the planned one is rolled back', async () => {
  const key = 'skewed';
  await create(key);
  // Long enough that the split is what ends it.
  await startRamp(key, { steps: [{ coverage: 100, for: '1h' }] });
  await edgeFollows(key);
  // Both all the time: what came before the API has seen that the edge follows is not judged.
  await until(key, { status: 'rolled-back' }, async () => {
    await visitAll(key, 10, (slot) => !isB(slot));
    await visitAll(key, 100, isB);
  });
  expect((await rampOf(key)).reason).toMatch(/^sampleRatio: new visitors control \d+, B \d+; /);
});

test('without traffic it holds, and says so; the command line starts, shows and stops it', async () => {
  const key = 'quiet';
  await create(key);
  const turnout = async (...args: readonly string[]): Promise<string> => {
    const env = { TURNOUT_API_URL: api.url, TURNOUT_TOKEN: TOKEN };
    const { code, stdout, stderr } = await runTurnout(['ramp', key, ...args], env);
    expect([args, code, stderr]).toEqual([args, 0, '']);
    return stdout;
  };
  await turnout('1%', '100%:1h', '--minimum-requests', '30', '--reason', 'go live', '--yes');
  const reason =
    'too little traffic: errorRate of B: 0 answers, control 0; each needs 30; ' +
    'firstByte of B: 0 answers, control 0; each needs 30; sampleRatio: no new visitors';
  // At first it may hold because the edge does not decide by the step yet.
  await until(key, { status: 'holding', step: 0, reason }, async () => {});
  expect(await turnout('--status')).toContain(`The ramp of quiet holds\n  ${reason}\n`);
  expect((await historyOf(key)).map(([coverage]) => coverage)).toEqual([0, 100]);
  await turnout('--stop', '--yes');
  expect(await rampOf(key)).toMatchObject({ status: 'stopped', reason: 'stopped by admin' });
});

test('an API that is killed in the middle of a step goes on after; so does a kill', async () => {
  const key = 'restarted';
  await create(key);
  await startRamp(key);
  await edgeFollows(key);
  await until(key, { status: 'stepping' }, async () => {});
  await api.kill();
  // Counted by the edge meanwhile.
  await visitAll(key, 100);
  api = await startApiOnEdge(api);
  await until(key, { step: 1 }, async () => {});
  expect((await historyOf(key)).map(([coverage]) => coverage)).toEqual([0, 100, 500]);

  const cookie = visitor(key, (coverage, slot) => coverage < 100 && isB(slot));
  await expect.poll(() => visit(key, cookie)).toBe('next');
  await ask('POST', `/${key}/status`, { status: 'killed', reason: 'enough' });
  await api.kill();
  api = await startApiOnEdge(api);
  await until(key, { status: 'stopped' }, async () => {});
  expect((await rampOf(key)).reason).toBe(
    'the experiment is killed, by admin at revision 4: enough',
  );
  await expect.poll(() => visit(key, cookie)).toBe('shop');
});
