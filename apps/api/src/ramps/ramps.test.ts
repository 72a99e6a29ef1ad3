import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ZodError } from 'zod';
import { experimentSchema } from '@turnout/contracts';
import type { ExperimentDocument } from '@turnout/contracts';
import { rampRequestSchema } from '@turnout/contracts/ramp';
import type { RampState } from '@turnout/contracts/ramp';
import type { TrafficReport } from '@turnout/contracts/traffic';
import { InvalidChange, StaleRevision, UnknownExperiment } from '../experiments/change-errors.ts';
import { createExperiments } from '../experiments/experiments.ts';
import type { Experiments } from '../experiments/experiments.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { RampRepository } from '../repository/ramp-repository.ts';
import { describeDatabases, embeddedDatabases } from '../testing/databases.ts';
import type { DatabaseKind } from '../testing/databases.ts';
import { RampConflict, UnknownRamp } from './ramp-errors.ts';
import { createRamps } from './ramps.ts';

const MINUTE = 60_000;

/** What the edges count, the clock, and API processes on one database. */
async function setUp(kind: DatabaseKind) {
  const location = await kind.fresh();
  let time = Date.parse('2026-05-06T07:08:09.010Z');
  const now = () => new Date(time);
  const edge = new CountingEdge();
  /** Whether what is stored can be published, and edges take what is. */
  const store = { isReachable: true, isFollowed: true };
  let published = 0;
  /** An API process: connections of its own, and nothing that it shares with others but the database. */
  const open = async () => {
    const repository = await openRepository(location, {
      limit: 0,
      clock: () => 0,
      pause: async () => undefined,
      onRetry: () => undefined,
    });
    onTestFinished(() => repository.close());
    const experiments = createExperiments({
      repository: repository.experiments,
      upstreams: undefined,
      countVisitors: async () => 0,
      publisher: {
        published: () => ({ revision: published, publishedAt: now().toISOString() }),
        publish,
      },
      now,
    });
    async function publish(): Promise<void> {
      if (!store.isReachable) return;
      published = (await repository.experiments.live()).snapshot;
      if (store.isFollowed) edge.snapshot = published;
    }
    /** @param through what the ramps read and write with, unless as they do */
    const ramps = (through: Partial<Writers> = {}) =>
      createRamps({
        experiments: through.experiments ?? experiments,
        repository: through.ramps ?? repository.ramps,
        readEdges: () => edge.read(),
        now,
        logger: pino({ level: 'silent' }),
      });
    return { repository, experiments, publish, ramps };
  };
  const first = await open();
  const { repository, experiments } = first;
  return {
    open,
    repository,
    experiments,
    edge,
    store,
    publish: first.publish,
    process: first.ramps,
    ramps: first.ramps(),
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    create: async (more: Partial<ExperimentDocument> = {}) => {
      const parsed = experimentSchema.parse({
        key: 'home',
        status: 'running',
        coverage: 0,
        variants: [
          { key: 'control', upstream: 'shop', weight: 50, control: true },
          { key: 'B', upstream: 'next', weight: 50 },
        ],
        ...more,
      });
      const edit = { kind: 'create', key: 'home', at: [], document: parsed } as const;
      await change(experiments, edit, 'ada', 'try the new home page');
    },
    alter: (alter: (document: ExperimentDocument) => ExperimentDocument, reason = 'by hand') =>
      change(experiments, { kind: 'alter', key: 'home', at: [], alter }, 'bob', reason),
    history: async () => {
      const { revisions } = await experiments.history('home', { limit: 100 });
      return revisions.toReversed().map(({ document, author, reason }) => ({
        coverage: document.coverage,
        author,
        reason,
      }));
    },
  };
}

/** What a ramp writes with. */
interface Writers {
  readonly ramps: RampRepository;
  readonly experiments: Experiments;
}

async function change(
  experiments: Experiments,
  edit: Parameters<Experiments['change']>[0]['edits'][number],
  author: string,
  reason: string,
): Promise<void> {
  await experiments.change({
    edits: [edit],
    author,
    reason,
    meaning: 'new-visitors',
    dryRun: false,
  });
}

/** An edge by what it tells. */
class CountingEdge {
  isReadable = true;
  /** What it decides by. */
  snapshot = 0;
  #control = 0;
  #b = { requests: 0, serverErrors: 0 };

  /** So many requests to B, and to control, each of a new visitor. */
  serve(requests: number, { failed = 0, control = requests } = {}): void {
    this.#control += control;
    this.#b = {
      requests: this.#b.requests + requests,
      serverErrors: this.#b.serverErrors + failed,
    };
  }

  async read() {
    const url = 'http://127.0.0.1:8090';
    return this.isReadable
      ? { reports: new Map([[url, this.#report()]]), unread: [] }
      : { reports: new Map([[url, undefined]]), unread: [`the edge at ${url} (gone)`] };
  }

  #report(): TrafficReport {
    const { requests, serverErrors } = this.#b;
    return {
      run: 'one',
      snapshot: this.snapshot,
      firstByteBounds: [1],
      variants: [
        { ...ofNewVisitors(this.#control), variant: 'control', serverErrors: 0 },
        { ...ofNewVisitors(requests), variant: 'B', serverErrors },
      ],
    };
  }
}

/** So many requests, each of a new visitor, and answered at once. */
function ofNewVisitors(requests: number) {
  return { experiment: 'home', requests, newVisitors: requests, firstByte: [requests, 0] };
}

const request = (more: Readonly<Record<string, unknown>> = {}) =>
  rampRequestSchema.parse({
    steps: [
      { coverage: 100, for: '1m' },
      { coverage: 500, for: '1m' },
      { coverage: 10_000, for: '1m' },
    ],
    revision: 1,
    reason: 'go live',
    ...more,
  });

describeDatabases('ramps', (kind) => {
  test('go from step to step while all is well, each step a revision', async () => {
    const { create, ramps, edge, pass, history } = await setUp(kind);
    await create();
    expect(await ramps.start('home', request(), 'ada')).toMatchObject({
      status: 'stepping',
      step: 0,
      before: 0,
      stepSince: '2026-05-06T07:08:09.010Z',
      nextAt: '2026-05-06T07:09:09.010Z',
    });
    const seen: [RampState['status'], number][] = [];
    for (let i = 0; i < 3; i++) {
      edge.serve(300);
      await ramps.look();
      seen.push(statusOf(await ramps.get('home')));
      pass(MINUTE);
      await ramps.look();
      seen.push(statusOf(await ramps.get('home')));
    }
    expect(seen).toEqual([
      ['stepping', 0],
      ['stepping', 1],
      ['stepping', 1],
      ['stepping', 2],
      ['stepping', 2],
      ['done', 2],
    ]);
    const [, ...steps] = await history();
    expect(steps).toEqual([
      { coverage: 100, author: 'ramp (ada)', reason: 'ramp step 1 of 3: go live' },
      { coverage: 500, author: 'ramp (ada)', reason: 'ramp step 2 of 3: all gates pass' },
      { coverage: 10_000, author: 'ramp (ada)', reason: 'ramp step 3 of 3: all gates pass' },
    ]);
    // What has ended stays so.
    edge.serve(300, { failed: 300 });
    await ramps.look();
    expect((await ramps.get('home')).status).toBe('done');
  });

  test('roll back at a breach, at once, to the coverage before', async () => {
    const { create, ramps, edge, history } = await setUp(kind);
    await create({ coverage: 50 });
    await ramps.start('home', request(), 'ada');
    edge.serve(300, { failed: 300 });
    await ramps.look();
    const reason =
      'errorRate of B: 100.0 % of 300 answers were 5xx, control had 0.0 % of 300; ' +
      'that is surely more than 1 points above';
    expect(await ramps.get('home')).toMatchObject({ status: 'rolled-back', before: 50, reason });
    expect((await history()).at(-1)).toEqual({
      coverage: 50,
      author: 'ramp (ada)',
      reason: `ramp rolled back: ${reason}`,
    });
  });

  test('are kept, shown and stopped; a stop that comes late changes nothing', async () => {
    const { create, ramps, repository } = await setUp(kind);
    await expect(ramps.start('home', request(), 'ada')).rejects.toThrow(UnknownExperiment);
    await create();
    await expect(ramps.get('home')).rejects.toThrow(UnknownRamp);
    await expect(ramps.stop('home', 'ada')).rejects.toThrow(UnknownRamp);
    await ramps.start('home', request(), 'ada');
    await expect(ramps.start('home', request({ revision: 2 }), 'bob')).rejects.toThrow(
      RampConflict,
    );
    const stopped = await ramps.stop('home', 'bob');
    expect(stopped).toMatchObject({ status: 'stopped', step: 0, reason: 'stopped by bob' });
    expect(stopped.nextAt).toBeUndefined();
    expect(await ramps.stop('home', 'eve')).toEqual(stopped);
    expect(await ramps.get('home')).toEqual(stopped);
    const again = request({ steps: [{ coverage: 200 }], revision: 2 });
    expect(await ramps.start('home', again, 'ada')).toMatchObject({
      status: 'stepping',
      before: 100,
    });
    const audit = await repository.audit.list({ limit: 100 });
    expect(audit.filter(({ action }) => action.startsWith('ramp.')).map(Object.values)).toEqual([
      [expect.any(Date), 'ada', 'ramp.start', 'home', 'go live'],
      [expect.any(Date), 'bob', 'ramp.stop', 'home', 'at step 1 of 3'],
      [expect.any(Date), 'ada', 'ramp.start', 'home', 'go live'],
    ]);
  });

  test.each(['ü', 'home ', '😀'])('are not found by another name: %j', async (name) => {
    const { create, ramps } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    await expect(ramps.get(name)).rejects.toThrow(UnknownRamp);
    await expect(ramps.stop(name, 'bob')).rejects.toThrow(UnknownRamp);
  });

  test.each(['forward', 'back'])(
    'take no step %s once they are stopped, not even one that was decided',
    async (way) => {
      const { create, open, process, ramps, edge, experiments, pass, history } = await setUp(kind);
      await create();
      await ramps.start('home', request(), 'ada');
      const other = (await open()).ramps();
      edge.serve(300, { failed: way === 'back' ? 300 : 0 });
      pass(MINUTE);
      // The step is decided on; the stop is answered before the coverage is changed.
      let stopped: RampState | undefined;
      const slow: Experiments = {
        ...experiments,
        async change(order) {
          stopped = await other.stop('home', 'bob');
          return experiments.change(order);
        },
      };
      await process({ experiments: slow }).look();
      expect(stopped).toMatchObject({ status: 'stopped', step: 0 });
      await ramps.look();
      expect(await ramps.get('home')).toEqual(stopped);
      expect((await history()).map(({ coverage }) => coverage)).toEqual([0, 100]);
    },
  );

  test('take each step once, however many processes look', async () => {
    const { create, open, ramps: first, edge, pass, history } = await setUp(kind);
    const processes = [first, (await open()).ramps(), (await open()).ramps()];
    await create();
    await first.start('home', request(), 'ada');
    for (let i = 0; i < 8; i++) {
      edge.serve(300);
      pass(MINUTE / 2);
      await Promise.all(processes.map((ramps) => ramps.look()));
    }
    expect((await first.get('home')).status).toBe('done');
    expect((await history()).map(({ coverage }) => coverage)).toEqual([0, 100, 500, 10_000]);
  });
});

describe('ramps', () => {
  const kind = embeddedDatabases();

  test('hold while too little was seen, or an edge can’t be read, and say so', async () => {
    const { create, ramps, edge, pass } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    pass(MINUTE);
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({
      status: 'holding',
      step: 0,
      reason: expect.stringMatching(/^too little traffic: errorRate of B: 0 answers, control 0/),
    });
    edge.serve(300);
    edge.isReadable = false;
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({
      status: 'holding',
      reason: 'can not read the edge at http://127.0.0.1:8090 (gone)',
    });
    edge.isReadable = true;
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({ status: 'stepping', step: 1 });
  });

  test.each([
    ['another coverage', { coverage: 9 }, 'the coverage was changed from 100 to 9, by bob'],
    ['paused', { status: 'paused' }, 'the experiment is paused, by bob'],
    ['killed', { status: 'killed' }, 'the experiment is killed, by bob'],
  ] as const)('are stopped by hand: %s', async (_what, changed, reason) => {
    const { create, ramps, edge, alter, pass, history } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    await alter((document) => ({ ...document, ...changed }), 'lunch');
    const before = await history();
    edge.serve(300, { failed: 300 });
    pass(MINUTE);
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({
      status: 'stopped',
      reason: `${reason} at revision 3: lunch`,
    });
    expect(await history()).toEqual(before);
  });

  test('begin a step anew when something else is changed by hand', async () => {
    const { create, ramps, edge, alter, pass } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    edge.serve(300, { failed: 300 });
    pass(MINUTE);
    await alter((document) => ({ ...document, title: 'Home' }));
    await ramps.look();
    const state = await ramps.get('home');
    expect(state).toMatchObject({ status: 'stepping', step: 0, readings: [] });
    expect(state.stepSince).toBe('2026-05-06T07:09:09.010Z');
  });

  test('count nothing that an edge out of sight has counted before a change by hand', async () => {
    const { create, ramps, edge, alter, pass } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    edge.serve(300, { failed: 300 });
    edge.isReadable = false;
    await alter((document) => ({ ...document, title: 'Home' }));
    await ramps.look();
    edge.isReadable = true;
    await ramps.look();
    edge.serve(300);
    pass(MINUTE);
    await ramps.look();
    expect(statusOf(await ramps.get('home'))).toEqual(['stepping', 1]);
  });

  test('begin a step only once it is published: until then edges serve what was before', async () => {
    const { create, ramps, edge, pass, store, publish, history } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    store.isReachable = false;
    for (let i = 0; i < 3; i++) {
      edge.serve(300);
      pass(MINUTE);
      await ramps.look();
      expect(await ramps.get('home')).toMatchObject({
        status: 'holding',
        step: 1,
        readings: [],
        reason: 'the step can not be published, so that no edge knows of it',
      });
    }
    store.isReachable = true;
    await publish();
    edge.serve(300);
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({
      status: 'stepping',
      step: 1,
      stepSince: '2026-05-06T07:11:09.010Z',
    });
    pass(MINUTE);
    await ramps.look();
    expect(statusOf(await ramps.get('home'))).toEqual(['holding', 1]);
    edge.serve(300);
    await ramps.look();
    expect((await history()).map(({ coverage }) => coverage)).toEqual([0, 100, 500, 10_000]);
  });

  test('roll back to nobody when they began by lowering the coverage', async () => {
    const { create, ramps, edge, history } = await setUp(kind);
    await create({ coverage: 10_000 });
    expect(await ramps.start('home', request(), 'ada')).toMatchObject({ before: 0 });
    edge.serve(300, { failed: 300 });
    await ramps.look();
    expect((await history()).map(({ coverage }) => coverage)).toEqual([10_000, 100, 0]);
  });

  test('need a running experiment, something to compare, and the revision that stands', async () => {
    const { create, ramps, alter } = await setUp(kind);
    await create({ status: 'paused' });
    await expect(ramps.start('home', request({ revision: 7 }), 'ada')).rejects.toThrow(
      StaleRevision,
    );
    await expect(ramps.start('home', request(), 'ada')).rejects.toThrow(
      'expected a running experiment, "home" is paused',
    );
    await alter((document) => ({
      ...document,
      status: 'running',
      variants: document.variants.map((variant) => ({
        ...variant,
        weight: variant.control ? 0 : 100,
      })),
    }));
    await expect(ramps.start('home', request({ revision: 2 }), 'ada')).rejects.toThrow(
      InvalidChange,
    );
  });

  test.each([
    { steps: [] },
    { steps: [{ coverage: 100 }, { coverage: 100 }] },
    { steps: [{ coverage: 10_001 }] },
    { reason: ' ' },
    { gates: { errorRate: 0 } },
    { more: 1 },
  ])('are refused with %j', (more) => {
    expect(() => request(more)).toThrow(ZodError);
  });

  test.each([
    { ended: 'before', isDone: false, statuses: [], coverages: [0] },
    { ended: 'after', isDone: true, statuses: ['stepping'], coverages: [0, 100] },
  ])('start with their first step or not at all: ended $ended it', async (one) => {
    const { create, process, ramps, repository, experiments, history } = await setUp(kind);
    await create();
    const dying = dyingAt({ write: 0, isDone: one.isDone }, repository.ramps, experiments);
    const start = process(dying).start('home', request(), 'ada');
    await expect(start).rejects.toThrow('The process has ended.');
    await ramps.look();
    const underWay = await repository.ramps.underWay();
    expect(underWay.map(({ ramp }) => ramp.status)).toEqual(one.statuses);
    expect((await history()).map(({ coverage }) => coverage)).toEqual(one.coverages);
  });

  // On a busy site thousands are served between a change and the edges' knowing of it. By the new
  // weights their split looks broken.
  test('judge nothing that edges served before they knew of a change of weights', async () => {
    const { create, ramps, edge, alter, pass, store, publish, history } = await setUp(kind);
    await create();
    await ramps.start('home', request(), 'ada');
    store.isFollowed = false;
    await alter(({ variants, ...document }) => ({
      ...document,
      variants: variants.map((variant) => ({ ...variant, weight: variant.control ? 90 : 10 })),
    }));
    for (let i = 0; i < 2; i++) {
      edge.serve(5_000);
      await ramps.look();
      expect(await ramps.get('home')).toMatchObject({
        status: 'holding',
        readings: [],
        reason:
          'can not read the edge at http://127.0.0.1:8090 (it decides by snapshot 2, expected 3)',
      });
    }
    edge.serve(5_000);
    store.isFollowed = true;
    await publish();
    pass(MINUTE);
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({
      status: 'stepping',
      readings: [],
      stepSince: '2026-05-06T07:09:09.010Z',
    });
    edge.serve(500, { control: 4_500 });
    pass(MINUTE);
    await ramps.look();
    expect(statusOf(await ramps.get('home'))).toEqual(['stepping', 1]);
    expect((await history()).map(({ coverage }) => coverage)).toEqual([0, 100, 100, 500]);
  });

  test('judge nothing that was served by the weights from right before their start', async () => {
    const { create, ramps, edge, alter, store, publish } = await setUp(kind);
    await create({ coverage: 50 });
    store.isFollowed = false;
    await alter(({ variants, ...document }) => ({
      ...document,
      variants: variants.map((variant) => ({ ...variant, weight: variant.control ? 90 : 10 })),
    }));
    await ramps.start('home', request({ revision: 2 }), 'ada');
    edge.serve(5_000);
    await ramps.look();
    expect(await ramps.get('home')).toMatchObject({ status: 'holding', step: 0, readings: [] });
    store.isFollowed = true;
    await publish();
    await ramps.look();
    edge.serve(500, { control: 4_500 });
    await ramps.look();
    expect(statusOf(await ramps.get('home'))).toEqual(['stepping', 0]);
  });

  test('roll back to nobody when they begin with the coverage that there is', async () => {
    const { create, ramps, edge, history } = await setUp(kind);
    await create({ coverage: 100 });
    expect(await ramps.start('home', request(), 'ada')).toMatchObject({ before: 0, step: 0 });
    edge.serve(300, { failed: 300 });
    await ramps.look();
    expect((await ramps.get('home')).status).toBe('rolled-back');
    expect((await history()).map(({ coverage }) => coverage)).toEqual([100, 0]);
  });

  // The process ends right before, or right after, any of its writes.
  test('go on after a crash at any moment, and take no step twice', async () => {
    const crashes = fc.array(fc.record({ write: fc.nat(2), isDone: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(crashes, async (all) => {
        const { create, process, repository, experiments, edge, pass, history } = await setUp(kind);
        await create();
        await process().start('home', request(), 'ada');
        for (const crash of [...all, undefined, undefined, undefined]) {
          edge.serve(300);
          pass(MINUTE);
          const dying = dyingAt(crash, repository.ramps, experiments);
          await process(dying).look();
          // Whoever comes next finds it as it was left.
          await process().look();
        }
        expect((await process().get('home')).status).toBe('done');
        expect((await history()).map(({ coverage }) => coverage)).toEqual([0, 100, 500, 10_000]);
      }),
      { numRuns: 25 },
    );
  });
});

function statusOf({ status, step }: RampState): [RampState['status'], number] {
  return [status, step];
}

/** A process that ends at one of its writes: nothing that it would do after is done. */
function dyingAt(
  crash: { readonly write: number; readonly isDone: boolean } | undefined,
  ramps: RampRepository,
  experiments: Experiments,
): Writers {
  let writes = 0;
  const write = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const isLast = writes++ === crash?.write;
    if (isLast && crash?.isDone) await work();
    if (crash !== undefined && writes > crash.write) throw new Error('The process has ended.');
    return work();
  };
  return {
    ramps: { ...ramps, save: (...args) => write(() => ramps.save(...args)) },
    experiments: { ...experiments, change: (order) => write(() => experiments.change(order)) },
  };
}
