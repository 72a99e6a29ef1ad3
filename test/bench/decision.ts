import {
  compileExperiments,
  createAssigner,
  createRequestTraits,
  createRouteTable,
  createVisitorCookie,
  isInLayer,
  propose,
  type Experiment,
  type ExperimentDefinition,
  type RequestSource,
  type RequestTraits,
  type Variant,
  type Visitor,
} from '@turnout/router-core';
import { naivelyHolds, pathGlob } from '../../packages/router-core/test/naive-predicate.ts';
import { describeMachine } from './machine.ts';
import {
  RULES,
  drawRequest,
  largeExperiments,
  plainExperiments,
  rulesOf,
} from './decision-workload.ts';
import { seededRandom } from './shuffle.ts';

// How long does a decision take, and does it grow with the number of experiments?
// `pnpm bench:decision`
//
// A decision is all that happens between the head of a request and its upstream: traits,
// route table, scope, forced variants, the visitor's cookie, audience, layer, assignment.
// Nothing of it is awaited: the visitors have been here before, so that cookie and assignment
// are in memory, but for those who come for the first time.
//
// 1. Make 1, 10, 100 and 1,000 experiments of 200 rules each, and a stream of requests that
//    are spread over the experiments' pages. (And 1 and 5 without predicates: the everyday.)
// 2. Check a sample of the answers against an evaluation that reads every rule of every
//    experiment in its order, and compiles nothing: what is wrong is not measured.
// 3. Warm up, then time each decision of several passes for the percentiles, and batches of
//    them for the mean, without the clock's own cost. Of a batch its best pass counts: other
//    processes of the machine only ever add.
//
// The target is a p99 under 100 µs with 1,000 experiments. Garbage collection and whatever
// else runs on the machine are in the last columns.

const SEED = 1;
const REQUESTS = 20_000;
const VISITORS = 5_000;
/** Of the requests: by visitors who come for the first time. */
const NEW = 0.03;
const WARM_UP = 3;
const PASSES = 10;
/** Decisions that are timed together for the mean. */
const BATCH = 500;
const CHECKED = 500;
/** p99, in ns. */
const TARGET = 100_000;

interface Answer {
  readonly upstream: string;
  /** Absent where a route or the default decided. */
  readonly experiment?: string;
  readonly variant?: string;
}

const SECRETS = ['a secret for the benchmark alone'];
const ROUTES = createRouteTable(
  ['/_mfe/next/**', '/_next/**', '/_mfe/vue/**', '/wp-*/**', '/api/**', '/**/feed'].map((path) => ({
    path,
    upstream: 'owner',
  })),
);
const DEFAULT: Answer = { upstream: 'default' };

/** Decides as the edge does. */
function createDecision(definitions: readonly ExperimentDefinition[]) {
  const set = compileExperiments(definitions);
  const cookies = createVisitorCookie({ secrets: SECRETS, secure: false });
  const assigner = createAssigner({});
  return (source: RequestSource): Answer => {
    const request = createRequestTraits(source);
    const owner = ROUTES.match(request);
    if (owner !== undefined) return { upstream: owner };
    const inScope = set.inScope(request);
    if (inScope.length === 0) return DEFAULT;
    for (const experiment of inScope) {
      const forced = experiment.forcedVariant(request);
      if (forced !== undefined) return answerOf(experiment, forced);
    }
    const candidates = inScope.filter((experiment) => experiment.admits(request));
    if (candidates.length === 0) return DEFAULT;
    const visitor = visitorOf(cookies, request);
    const experiment = candidates.find((candidate) => isInLayer(candidate, visitor.id));
    if (experiment === undefined) return DEFAULT;
    const result = assigner.assign(visitor, experiment);
    if (result instanceof Promise) throw new Error('Expected an assignment that is at hand');
    return answerOf(experiment, result.variant);
  };
}

/** The same, from the definitions themselves: each rule of each experiment, in order. */
function naivelyDecide(
  experiments: readonly (readonly [ExperimentDefinition, Experiment])[],
  source: RequestSource,
): Answer {
  const request = createRequestTraits(source);
  const owner = ROUTES.match(request);
  if (owner !== undefined) return { upstream: owner };
  const inScope = experiments.filter(([{ scope }]) => {
    const { paths, hosts = [], when } = scope;
    return (
      paths.some((path) => patternOf(path).test(request.path)) &&
      (hosts.length === 0 || naivelyHolds({ host: hosts }, request)) &&
      (when === undefined || naivelyHolds(when, request))
    );
  });
  for (const [{ forced = [] }, experiment] of inScope) {
    const rule = forced.find(({ when }) => naivelyHolds(when, request));
    const variant = rule && experiment.variant(rule.variant);
    if (variant !== undefined) return answerOf(experiment, variant);
  }
  const candidates = inScope.filter(
    ([{ audience }]) => audience === undefined || naivelyHolds(audience, request),
  );
  if (candidates.length === 0) return DEFAULT;
  const visitor = visitorOf(createVisitorCookie({ secrets: SECRETS, secure: false }), request);
  const [, experiment] = candidates.find(([, one]) => isInLayer(one, visitor.id)) ?? [];
  if (experiment === undefined) return DEFAULT;
  const proposed = propose(experiment, visitor.id);
  return answerOf(experiment, proposed === 'holdout' ? experiment.control : proposed);
}

function visitorOf(
  cookies: ReturnType<typeof createVisitorCookie>,
  { cookie }: RequestTraits,
): Visitor {
  const reading = cookies.read(cookie);
  return reading.status === 'valid'
    ? { id: reading.id, mirror: reading.mirror, minted: false }
    : { id: cookies.mint(), mirror: [], minted: true };
}

function answerOf({ key }: Experiment, { key: variant, upstream }: Variant): Answer {
  return { upstream, experiment: key, variant };
}

const patterns = new Map<string, RegExp>();

/** Only the text of the pattern is made once: 60,000 of them for each request take a while. */
function patternOf(glob: string): RegExp {
  const pattern = patterns.get(glob) ?? pathGlob(glob);
  patterns.set(glob, pattern);
  return pattern;
}

/** The mean of a decision, and percentiles, in ns. */
function measure(decide: (request: RequestSource) => Answer, stream: readonly RequestSource[]) {
  const times = new Float64Array(stream.length * PASSES);
  const batches = Array.from({ length: stream.length / BATCH }, (_, index) =>
    stream.slice(index * BATCH, (index + 1) * BATCH),
  );
  const best = batches.map(() => Infinity);
  for (let pass = -WARM_UP; pass < PASSES; pass++) {
    for (const [index, batch] of batches.entries()) {
      const began = performance.now();
      for (const request of batch) decide(request);
      const took = performance.now() - began;
      if (pass >= 0) best[index] = Math.min(best[index] ?? took, took);
    }
    for (const [index, request] of stream.entries()) {
      const began = performance.now();
      decide(request);
      if (pass >= 0) times[pass * stream.length + index] = (performance.now() - began) * 1e6;
    }
  }
  times.sort();
  return {
    mean: (best.reduce((sum, took) => sum + took, 0) * 1e6) / stream.length,
    percentiles: [0.5, 0.99, 0.999, 1].map(
      (share) => times[Math.ceil(share * times.length) - 1] ?? NaN,
    ),
  };
}

/** Requests of visitors who each stay with the pages that they know. */
function drawStream(areas: number): RequestSource[] {
  const random = seededRandom(SEED);
  const cookies = createVisitorCookie({ secrets: SECRETS, secure: false });
  const visitors = Array.from({ length: VISITORS }, () => {
    const [pair = ''] = cookies.serialise(cookies.mint(), []).split(';', 1);
    return pair;
  });
  return Array.from({ length: REQUESTS }, () => {
    const visitor = random() < NEW ? undefined : visitors[Math.floor(random() * VISITORS)];
    return drawRequest(random, areas, visitor);
  });
}

/** @throws {Error} for a decision that is not the naive one */
function check(
  definitions: readonly ExperimentDefinition[],
  decide: (request: RequestSource) => Answer,
  stream: readonly RequestSource[],
): void {
  const { experiments } = compileExperiments(definitions);
  const pairs = definitions.flatMap((definition, index) => {
    const experiment = experiments[index];
    return experiment === undefined ? [] : [[definition, experiment] as const];
  });
  const kinds = new Set<string>();
  // Not those of new visitors: each time they are somebody else.
  const known = stream.filter((request) => request.header('cookie')?.includes('turnout='));
  for (const request of known.slice(0, CHECKED)) {
    const expected = naivelyDecide(pairs, request);
    const got = decide(request);
    if (JSON.stringify(got) !== JSON.stringify(expected)) {
      const told = `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
      throw new Error(`${request.method} ${request.target}: ${told}`);
    }
    kinds.add(expected.variant ?? expected.upstream);
  }
  if (kinds.size < 5) throw new Error(`Expected varied answers, got ${[...kinds].join(', ')}`);
}

const machine = describeMachine(new Date());
process.stdout.write(
  `${machine.date}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}\n` +
    `${REQUESTS} requests, ${VISITORS} returning visitors, ${NEW * 100} % new; times in µs\n\n` +
    'experiments  rules each  in scope  compiled ms     mean      p50      p99    p99.9      max\n',
);
const workloads = [...[1, 5].map(plainExperiments), ...[1, 10, 100, 1_000].map(largeExperiments)];
for (const definitions of workloads) {
  const [first] = definitions;
  const rules = first === undefined ? 0 : rulesOf(first);
  const isLarge = rules > 2;
  const wrong = definitions.find((definition) => isLarge && rulesOf(definition) !== RULES);
  if (wrong !== undefined) throw new Error(`Expected ${RULES} rules, got ${rulesOf(wrong)}`);
  const stream = drawStream(definitions.length);
  const began = performance.now();
  const decide = createDecision(definitions);
  const compiled = performance.now() - began;
  check(definitions, decide, stream);
  const set = compileExperiments(definitions);
  const inScope = stream.reduce(
    (sum, source) => sum + set.inScope(createRequestTraits(source)).length,
    0,
  );
  const { mean, percentiles } = measure(decide, stream);
  const cells = [
    String(definitions.length).padStart(11),
    String(rules).padStart(10),
    (inScope / stream.length).toFixed(2).padStart(8),
    compiled.toFixed(0).padStart(11),
    ...[mean, ...percentiles].map((ns) => (ns / 1_000).toFixed(2).padStart(7)),
  ];
  process.stdout.write(`${cells.join('  ')}\n`);
  const [, p99 = NaN] = percentiles;
  if (definitions.length === 1_000) {
    const verdict = p99 < TARGET ? 'met' : 'missed';
    process.stdout.write(`\nTarget, a p99 under ${TARGET / 1_000} µs: ${verdict}\n`);
  }
}
