import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExperimentDefinition, SnapshotStore } from '@turnout/router-core';
import { createEmbeddedSnapshotStore } from '@turnout/router-core/embedded';
import { createRedisSnapshotStore } from '@turnout/router-core/redis';
import { startApi } from '../kit/api-process.ts';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { NAVIGATION, send } from '../kit/http.ts';
import { startLightUpstreams } from '../kit/light-upstreams.ts';
import { metricValue } from '../kit/metrics.ts';
import { hasRedis, startRedis } from '../kit/redis-server.ts';
import { BenchProcess } from './bench-process.ts';
import { RULES, largeExperiments, plainExperiments, rulesOf } from './decision-workload.ts';
import type { KnockOrder, Knocks } from './knock-process.ts';
import type { LoopDelay } from './loop-delay.ts';
import { median } from './figures.ts';
import { describeMachine } from './machine.ts';

// How soon does every worker decide by a change, and does anybody wait for it?
// `pnpm bench:changes [CHANGES] [EXPERIMENTS…]`
//
// 1. Start an edge with two workers, and a process that opens a new connection to it every
//    10 ms, and asks for a page.
// 2. Publish 1, 100 or 1,000 experiments (or as many as told) of 200 rules each at once: the first
//    load.
// 3. Change one of them CHANGES times (8 unless told otherwise), a second and a half apart.
// 4. Check after each that a page is served by the change: what is wrong is not measured.
// Then the API: thousands of experiments in one `/v1/apply`, a kill of one of them, and what a
// health check waits meanwhile.
//
// The time to effect is the edge's own `turnout_change_effect_seconds`, the mean of its workers.
// The event loops are watched by `loop-delay.ts`: of each change the longest that one was late.

const CHANGES = Number(process.argv[2] ?? 8);
const SIZES = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [1, 100, 1_000];
const WORKERS = 2;
const APPLIED = 2_000;
/** Milliseconds between changes. */
const PAUSE = 1_500;
/** Milliseconds that anything may take. */
const PATIENCE = 60_000;
const UPSTREAMS = ['wordpress', 'next', 'vue'] as const;

const ended = new AbortController();
const upstreams = await startLightUpstreams(UPSTREAMS);

/** What one publication came to. */
interface Effect {
  /** Times to effect: the mean of the workers, in ms. */
  readonly effect: number;
  readonly primary: LoopDelay;
  /** The worst of them. */
  readonly workers: LoopDelay;
  readonly knocks: Knocks;
}

/** What a probe says once it says what it is wanted to. */
async function soon<Value>(
  what: string,
  probe: () => Value | Promise<Value>,
  isWanted: (value: Value) => boolean,
): Promise<Value> {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    const value = await probe();
    if (isWanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Expected ${what} within ${PATIENCE / 1_000} s`);
}

async function knocker(order: KnockOrder) {
  const process = new BenchProcess({
    name: 'the process that knocks',
    args: [fileURLToPath(new URL('knock-process.ts', import.meta.url))],
    signal: ended.signal,
  });
  await process.ask<Knocks>(order);
  return { take: () => process.ask<Knocks>(order), stop: () => process.stop() };
}

/** Asks processes for their delays since they were asked last. */
async function takeDelays(folder: string, pids: readonly number[]): Promise<LoopDelay[]> {
  return Promise.all(
    pids.map(async (pid) => {
      const file = join(folder, String(pid));
      await rm(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      const read = () => readFile(file, 'utf8').catch(() => '');
      const told = await soon(`the delays of ${pid}`, read, (text) => text.endsWith('}'));
      return JSON.parse(told);
    }),
  );
}

function worst(delays: readonly LoopDelay[]): LoopDelay {
  return {
    longest: Math.max(...delays.map(({ longest }) => longest)),
    cpu: Math.max(...delays.map(({ cpu }) => cpu)),
  };
}

function watched(folder: string): Record<string, string> {
  const preload = new URL('loop-delay.ts', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, BENCH_LOOP_DELAY_DIR: folder };
}

/** As the API does it: the documents are texts already, and only the head is new. */
async function publish(
  store: SnapshotStore,
  revision: number,
  documents: readonly string[],
): Promise<void> {
  const head = `{"format":1,"revision":${revision},"publishedAt":${Date.now()},"experiments":[`;
  await store.publish(`${head}${documents.join(',')}]}`);
}

/** Experiments that no layer shares out: of so many some would have none of its slots. */
function withoutLayer({ layer, ...document }: ExperimentDefinition): ExperimentDefinition {
  void layer;
  return document;
}

function textOf(definition: ExperimentDefinition): string {
  return JSON.stringify(withoutLayer(definition));
}

async function measureEdge(
  size: number,
  redisUrl: string | undefined,
): Promise<{ first: Effect; changes: Effect[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'turnout-bench-'));
  const edge = await startEdge({
    config: {
      public: { port: 0, hosts: ['*'] },
      upstreams: upstreams.config,
      default: 'wordpress',
      experiments: [],
    },
    env: {
      ...watched(folder),
      ...(redisUrl !== undefined && { TURNOUT_REDIS_URL: redisUrl }),
    },
    workers: WORKERS,
  });
  const store =
    redisUrl === undefined
      ? createEmbeddedSnapshotStore({ file: join(edge.dataDir, 'experiments.sqlite') })
      : createRedisSnapshotStore({ url: redisUrl });
  // Of somebody whom a rule of the experiment that changes gives variant A.
  const headers = {
    ...NAVIGATION,
    host: 'shop.example',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'accept-language': 'de',
    'x-qa': 'qa-0-0',
  };
  const knocks = await knocker({ url: `${edge.url}/area-0`, headers });
  try {
    await soon(
      'the workers',
      () => edge.metrics(),
      (text) => metricValue(text, 'turnout_workers') === WORKERS,
    );
    const pids = await workersOf(edge, headers);
    const large = largeExperiments(size);
    const documents = large.map(textOf);
    const [first] = large;
    if (first === undefined || rulesOf(first) !== RULES) throw new Error(`Expected ${RULES} rules`);
    let revision = 0;
    let before = await edge.metrics();

    const change = async (status: ExperimentDefinition['status']): Promise<Effect> => {
      revision += 1;
      documents.splice(0, 1, textOf({ ...first, revision, status }));
      await takeDelays(folder, [edge.pid, ...pids]);
      await knocks.take();
      await publish(store, revision, documents);
      // Nobody asks for metrics meanwhile, which would be work of its own.
      await new Promise((resolve) => setTimeout(resolve, revision === 1 ? PAUSE * 6 : PAUSE));
      const heard = await knocks.take();
      const [primary, ...workers] = await takeDelays(folder, [edge.pid, ...pids]);
      const after = await soon(
        `revision ${revision}`,
        () => edge.metrics(),
        (text) => metricValue(text, 'turnout_snapshot_revision') === revision,
      );
      await checkPage(edge, headers, status === 'killed' ? 'wordpress' : 'next');
      const name = 'turnout_change_effect_seconds';
      const of = (part: string) =>
        metricValue(after, name + part) - metricValue(before, name + part);
      if (of('_count') !== WORKERS)
        throw new Error(`Expected an effect on each worker, got ${of('_count')}`);
      const effect = (of('_sum') / WORKERS) * 1_000;
      before = after;
      if (primary === undefined) throw new Error('Expected the delays of the primary');
      if (heard.failed > 0) throw new Error(`${heard.failed} requests failed`);
      return { effect, primary, workers: worst(workers), knocks: heard };
    };

    const load = await change('running');
    const changes: Effect[] = [];
    for (let i = 0; i < CHANGES; i++)
      changes.push(await change(i % 2 === 0 ? 'killed' : 'running'));
    return { first: load, changes };
  } finally {
    await knocks.stop();
    await store.close();
    await edge.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its access log says which process answered. */
async function workersOf(
  edge: EdgeProcess,
  headers: Readonly<Record<string, string>>,
): Promise<number[]> {
  const answering = () => new Set(edge.logged('request').map(({ pid }) => Number(pid)));
  await soon(
    'a request by each worker',
    async () => {
      await send(`${edge.url}/area-0`, headers);
      return answering();
    },
    (pids) => pids.size === WORKERS,
  );
  return [...answering()];
}

async function checkPage(
  edge: EdgeProcess,
  headers: Readonly<Record<string, string>>,
  expected: string,
): Promise<void> {
  for (let i = 0; i < 2 * WORKERS; i++) {
    const { text: got } = await send(`${edge.url}/area-0`, headers);
    if (got !== expected) throw new Error(`Expected "${expected}" after the change, got "${got}"`);
  }
}

/** What one request came to, in ms. */
interface Application {
  readonly milliseconds: number;
  /** How late the event loop was. */
  readonly loop: number;
  /** The slowest health check meanwhile. */
  readonly slowest: number;
}

/** One `/v1/apply` of many experiments: how long it takes, and what others wait. */
async function measureApply(definitions: readonly ExperimentDefinition[]) {
  const folder = await mkdtemp(join(tmpdir(), 'turnout-bench-'));
  const api = await startApi(
    { public: { port: 0 }, upstreams: upstreams.config, default: 'wordpress', experiments: [] },
    watched(folder),
  );
  const knocks = await knocker({ url: `${api.url}/healthz`, headers: {} });
  try {
    const experiments = definitions.map(withoutLayer);
    const body = JSON.stringify({ experiments, reason: 'bench' });
    const post = async (path: string, text: string): Promise<string> => {
      const response = await fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${api.adminToken}`, 'content-type': 'application/json' },
        body: text,
      });
      const answer = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${answer.slice(0, 300)}`);
      return answer;
    };
    const measure = async (work: () => Promise<void>): Promise<Application> => {
      await takeDelays(folder, [api.pid]);
      await knocks.take();
      const began = performance.now();
      await work();
      const milliseconds = performance.now() - began;
      const [loop] = await takeDelays(folder, [api.pid]);
      const heard = await knocks.take();
      if (loop === undefined) throw new Error('Expected the delays of the API');
      if (heard.failed > 0) throw new Error(`${heard.failed} health checks failed`);
      return { milliseconds, loop: loop.longest, slowest: heard.slowest };
    };
    const applied = await measure(async () => {
      const { changes } = JSON.parse(await post('/v1/apply', body));
      if (changes.length !== experiments.length) throw new Error('Expected all changes');
    });
    const kill = JSON.stringify({ status: 'killed', revision: 1, reason: 'bench' });
    const killed = await measure(async () => {
      const { published } = JSON.parse(await post('/v1/experiments/experiment-0/status', kill));
      if (published.publishedAt === undefined) throw new Error('Expected it to be published');
    });
    return { bytes: body.length, applied, killed };
  } finally {
    await knocks.stop();
    await api.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

const cell = (value: number, width = 8) => value.toFixed(0).padStart(width);

/** On a machine with other work the median tells more than the worst. */
function printEffects(what: string, effects: readonly Effect[]): void {
  const columns = [
    ({ effect }: Effect) => effect,
    ({ primary }: Effect) => primary.longest,
    ({ workers }: Effect) => workers.longest,
    ({ primary }: Effect) => primary.cpu,
    ({ workers }: Effect) => workers.cpu,
    ({ knocks }: Effect) => knocks.slowest,
  ].map((read) => effects.map(read));
  const medians = columns.map((values) => cell(median(values), 11)).join('');
  process.stdout.write(`${what.padEnd(34)}${medians}\n`);
  if (effects.length === 1) return;
  const worstOf = columns.map((values) => cell(Math.max(...values), 11)).join('');
  process.stdout.write(`${'  the worst'.padEnd(34)}${worstOf}\n`);
}

const machine = describeMachine(new Date());
process.stdout.write(
  `${machine.date}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}\n` +
    `${RULES} rules each, ${WORKERS} workers, ${CHANGES} changes of one experiment; times in ms, medians\n\n` +
    `${' '.repeat(34)}     effect  event loop late           CPU time             new\n` +
    `${' '.repeat(34)}               primary     worker    primary     worker connection\n`,
);
const redis = hasRedis() ? await startRedis() : undefined;
try {
  for (const size of SIZES) {
    for (const [name, url] of [
      ['SQLite', undefined],
      ['Redis', redis?.url],
    ] as const) {
      if (name === 'Redis' && url === undefined) continue;
      const { first, changes } = await measureEdge(size, url);
      printEffects(`${size} by ${name}: first load`, [first]);
      printEffects(`${size} by ${name}: a change`, changes);
    }
  }
  process.stdout.write('\nAPI                                     took  loop late  health check\n');
  for (const [name, definitions] of [
    [`${APPLIED} without predicates`, plainExperiments(APPLIED)],
    [`1000 of ${RULES} rules`, largeExperiments(1_000)],
  ] as const) {
    const { bytes, applied, killed } = await measureApply(definitions);
    for (const [what, { milliseconds, loop, slowest }] of [
      [`${name}, ${(bytes / 1e6).toFixed(1)} MB`, applied],
      ['  then a kill', killed],
    ] as const) {
      process.stdout.write(
        `${what.padEnd(34)}${cell(milliseconds, 8)}${cell(loop, 11)}${cell(slowest, 14)}\n`,
      );
    }
  }
} finally {
  await redis?.stop();
  await upstreams.close();
}
