import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasRedis, startRedis } from '../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../test/kit/redis-server.ts';
import { planChange } from './allocation.ts';
import { createAssigner } from './assigner.ts';
import type { Assigner } from './assigner.ts';
import { propose } from './assignment.ts';
import type { Visitor } from './assignment.ts';
import { createEmbeddedStore } from './embedded/index.ts';
import { compileExperiment } from './experiment.ts';
import type { ExperimentDefinition } from './experiment.ts';
import { createRedisStore } from './redis/index.ts';
import { slotOf } from './slots.ts';
import type { AssignmentStore, Ledger } from './store.ts';
import { createVisitorCookie } from './visitor-cookie.ts';
import type { VisitorId } from './visitor-cookie.ts';

const DAY = 86_400_000;
const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });
const mint = (): VisitorId => cookie.mint();

const definition: ExperimentDefinition = {
  key: 'home',
  status: 'running',
  phase: 1,
  revision: 5,
  scope: { paths: ['/'] },
  variants: [
    { key: 'control', upstream: 'wordpress', weight: 50, control: true },
    { key: 'A', upstream: 'next', weight: 20 },
    { key: 'B', upstream: 'vue', weight: 30 },
  ],
};
const running = compileExperiment(definition);
const paused = compileExperiment({ ...definition, status: 'paused', revision: 6 });

function returning(id: VisitorId, variant?: string, phase = 1): Visitor {
  const mirror = variant === undefined ? [] : [{ experiment: 'home', variant, phase }];
  return { id, mirror, minted: false };
}

function hashOf(id: VisitorId): string {
  const variant = propose(running, id);
  return variant === 'holdout' ? variant : variant.key;
}

/** A new visitor whom the hash gives something else than `variant`. */
function visitorNotOf(variant: string): VisitorId {
  for (;;) {
    const id = mint();
    if (hashOf(id) !== variant) return id;
  }
}

describe('with a store', () => {
  let folder: string;
  let store: Ledger;
  let assigner: Assigner;
  let time: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnout-assigner-'));
    store = createEmbeddedStore({ file: join(folder, 'ledger.db'), ttl: DAY });
    time = 0;
    // The deadline has tests of its own; a busy machine must not reach it here.
    assigner = createAssigner({ store, cacheMaxAge: 60_000, deadline: 10_000, now: () => time });
  });
  afterEach(async () => {
    await assigner.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  test('a minted visitor is answered at once, by the hash, and written behind', async () => {
    const visitor: Visitor = { id: mint(), mirror: [], minted: true };
    expect(assigner.assign(visitor, running)).toEqual({
      kind: 'assigned',
      experiment: 'home',
      variant: running.variant(hashOf(visitor.id)),
      source: 'hash',
      phase: 1,
      revision: 5,
    });
    expect(assigner.status().writeBehindLength).toBe(1);
    await assigner.close();
    expect(assigner.status().writeBehindLength).toBe(0);
    expect((await store.get(visitor.id)).get('home')).toEqual({
      variant: hashOf(visitor.id),
      phase: 1,
      revision: 5,
    });
    expect(assigner.assign({ ...visitor, minted: false }, running)).toMatchObject({
      source: 'cache',
    });
  });

  test('the store decides over mirror and hash, once per cache age', async () => {
    const id = visitorNotOf('B');
    await store.getOrSet(id, 'home', { variant: 'B', phase: 1, revision: 2 }, running.variantKeys);
    const answer = assigner.assign(returning(id, 'A'), running);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({ variant: { key: 'B' }, source: 'store', revision: 2 });
    expect(assigner.assign(returning(id, 'A'), running)).toMatchObject({
      variant: { key: 'B' },
      source: 'cache',
    });
    time += 60_000;
    expect(await assigner.assign(returning(id), running)).toMatchObject({ source: 'store' });
  });

  test('an emptied store learns from the mirror', async () => {
    const id = visitorNotOf('A');
    expect(await assigner.assign(returning(id, 'A'), running)).toMatchObject({
      variant: { key: 'A' },
      source: 'mirror',
    });
    expect((await store.get(id)).get('home')).toMatchObject({ variant: 'A', revision: 5 });
  });

  test('a visitor without store and mirror gets the hash', async () => {
    const id = mint();
    expect(await assigner.assign(returning(id), running)).toMatchObject({
      variant: { key: hashOf(id) },
      source: 'hash',
    });
  });

  test('a new phase draws anew, in memory and in the store', async () => {
    const id = mint();
    await assigner.assign(returning(id), running);
    const second = compileExperiment({ ...definition, phase: 2, revision: 7 });
    const result = await assigner.assign(returning(id, hashOf(id)), second);
    expect(result).toMatchObject({ variant: propose(second, id), source: 'hash', phase: 2 });
    // A process that lags behind keeps to the newer phase.
    expect(assigner.assign(returning(id), running)).toMatchObject({
      variant: propose(second, id),
      phase: 2,
      source: 'cache',
    });
  });

  test('a cookie of a newer phase is news, though it names the variant of before', async () => {
    const id = visitorNotOf('A');
    await store.getOrSet(id, 'home', { variant: 'B', phase: 1, revision: 5 }, running.variantKeys);
    expect(await assigner.assign(returning(id, 'A'), running)).toMatchObject({
      variant: { key: 'B' },
    });
    // Another process, which knows of phase 2, has drawn the visitor anew.
    await store.getOrSet(id, 'home', { variant: 'A', phase: 2, revision: 6 }, running.variantKeys);
    expect(await assigner.assign(returning(id, 'A', 2), running)).toMatchObject({
      variant: { key: 'A' },
      phase: 2,
      source: 'store',
    });
  });

  test('a variant that is gone is not served from memory', async () => {
    const id = visitorNotOf('A');
    await assigner.assign(returning(id, 'A'), running);
    const withoutA = compileExperiment({
      ...definition,
      variants: [
        { key: 'control', upstream: 'wordpress', weight: 50, control: true },
        { key: 'B', upstream: 'vue', weight: 50 },
      ],
    });
    const result = await assigner.assign(returning(id, 'A'), withoutA);
    expect(['control', 'B']).toContain(result.variant.key);
    expect(result.source).toBe('hash');
  });

  test('parallel first requests agree', async () => {
    const id = mint();
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        assigner.assign(returning(id, index % 2 === 0 ? 'A' : 'B'), running),
      ),
    );
    expect(new Set(results.map(({ variant }) => variant.key)).size).toBe(1);
  });

  test('paused: who is assigned stays, nobody new is', async () => {
    const stored = visitorNotOf('A');
    await store.getOrSet(stored, 'home', { variant: 'A', phase: 1, revision: 1 }, ['A']);
    expect(await assigner.assign(returning(stored), paused)).toMatchObject({
      kind: 'assigned',
      variant: { key: 'A' },
      source: 'store',
    });
    expect(assigner.assign(returning(stored), paused)).toMatchObject({ source: 'cache' });

    const mirrored = visitorNotOf('A');
    expect(await assigner.assign(returning(mirrored, 'A'), paused)).toMatchObject({
      kind: 'assigned',
      source: 'mirror',
    });

    const unknown = mint();
    const nobody = {
      kind: 'unassigned',
      experiment: 'home',
      variant: running.control,
      source: 'paused',
    };
    expect(await assigner.assign(returning(unknown), paused)).toEqual(nobody);
    expect(assigner.assign(returning(unknown), paused)).toEqual(nobody);
    expect(assigner.assign({ id: mint(), mirror: [], minted: true }, paused)).toEqual(nobody);
    expect(await store.get(unknown)).toEqual(new Map());
    // Running again, the visitor is assigned after all.
    expect(await assigner.assign(returning(unknown), running)).toMatchObject({ source: 'hash' });
  });

  test('a closed store is an error that no visitor sees', async () => {
    await store.close();
    const id = mint();
    expect(await assigner.assign(returning(id), running)).toMatchObject({ source: 'hash' });
    expect(await assigner.assign(returning(mint()), paused)).toMatchObject({ source: 'paused' });
    expect(assigner.status().storeErrors).toBeGreaterThan(0);
  });
});

/** As `definition`, after B gave its last ten percent to the control, visitors and all. */
const moved = planChange(
  definition,
  {
    ...definition,
    variants: [
      { key: 'control', upstream: 'wordpress', weight: 60, control: true },
      { key: 'A', upstream: 'next', weight: 20 },
      { key: 'B', upstream: 'vue', weight: 20 },
    ],
  },
  'move-fewest',
).definition;
const after = compileExperiment(moved);
const pausedAfter = compileExperiment({ ...moved, status: 'paused', revision: 7 });

/** The definition with other weights; without one, A is gone. */
function weighted(control: number, A: number, B: number): ExperimentDefinition {
  return {
    ...definition,
    variants: [
      { key: 'control', upstream: 'wordpress', weight: control, control: true },
      ...(A > 0 ? [{ key: 'A', upstream: 'next', weight: A }] : []),
      { key: 'B', upstream: 'vue', weight: B },
    ],
  };
}

/** A new visitor who draws a slot of [from, to). */
function visitorAt(from: number, to: number): VisitorId {
  for (;;) {
    const id = mint();
    const slot = slotOf('home', 1, id);
    if (from <= slot && slot < to) return id;
  }
}

/** A new visitor whom the move takes from B to the control. */
function mover(): VisitorId {
  return visitorAt(9000, 10_000);
}

describe('a move', () => {
  let folder: string;
  let store: Ledger;
  let time: number;
  const assigners: Assigner[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnout-assigner-'));
    store = createEmbeddedStore({ file: join(folder, 'ledger.db'), ttl: DAY });
    time = 0;
  });
  afterEach(async () => {
    for (const assigner of assigners.splice(0)) await assigner.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  function worker(ledger: AssignmentStore | undefined = store): Assigner {
    const assigner = createAssigner({
      ...(ledger === undefined ? {} : { store: ledger }),
      deadline: 10_000,
      breaker: { delay: 5 },
      now: () => time,
    });
    assigners.push(assigner);
    return assigner;
  }
  const inLedger = async (id: VisitorId) => (await store.get(id)).get('home');
  const toControl = { kind: 'assigned', variant: { key: 'control' }, revision: 6 };

  test('takes effect on what memory holds, and is written', async () => {
    const assigner = worker();
    const id = mover();
    expect(await assigner.assign(returning(id), running)).toMatchObject({ variant: { key: 'B' } });
    expect(await assigner.assign(returning(id, 'B'), after)).toMatchObject(toControl);
    expect(await inLedger(id)).toEqual({ variant: 'control', phase: 1, revision: 6 });
    // The cookie may still be the old one, as only a navigation sets it.
    expect(assigner.assign(returning(id, 'B'), after)).toMatchObject({
      ...toControl,
      source: 'cache',
    });
  });

  test('leaves alone who has something else, or another slot', async () => {
    const assigner = worker();
    const guest = mover();
    await store.getOrSet(guest, 'home', { variant: 'A', phase: 1, revision: 2 }, ['A']);
    expect(await assigner.assign(returning(guest), after)).toMatchObject({
      variant: { key: 'A' },
      source: 'store',
    });
    const host = visitorNotOf('B');
    expect(await assigner.assign(returning(host, 'B'), after)).toMatchObject({
      variant: { key: 'B' },
      source: 'mirror',
    });
  });

  test('asks nobody about visitors in memory whom it leaves alone', async () => {
    const assigner = worker();
    const id = visitorNotOf('B');
    await assigner.assign(returning(id), running);
    expect(assigner.assign(returning(id), after)).toMatchObject({ source: 'cache' });
  });

  test('finds visitors in the ledger alone, and in the cookie alone', async () => {
    const id = mover();
    await store.getOrSet(id, 'home', { variant: 'B', phase: 1, revision: 5 }, ['B']);
    expect(await worker().assign(returning(id), after)).toMatchObject(toControl);
    expect(await inLedger(id)).toMatchObject({ variant: 'control', revision: 6 });

    const unknown = mover();
    expect(await worker().assign(returning(unknown, 'B'), after)).toMatchObject({
      ...toControl,
      source: 'mirror',
    });
    expect(await inLedger(unknown)).toMatchObject({ variant: 'control' });
    const withoutLedger = createAssigner({});
    expect(withoutLedger.assign(returning(unknown, 'B'), after)).toMatchObject(toControl);
  });

  test('made by a newer revision is not undone by a worker that lags behind', async () => {
    const [early, late] = [worker(), worker()];
    const id = mover();
    await late.assign(returning(id), running);
    expect(await early.assign(returning(id, 'B'), after)).toMatchObject(toControl);
    // Its memory says B; the cookie tells that something has happened since.
    expect(await late.assign(returning(id, 'control'), running)).toMatchObject({
      variant: { key: 'control' },
      source: 'store',
    });
    // And back: the lagging worker knows the first move alone, which leads to the control.
    const back = compileExperiment(planChange(moved, definition, 'move-fewest').definition);
    expect(await early.assign(returning(id, 'control'), back)).toMatchObject({
      variant: { key: 'B' },
      revision: 7,
    });
    expect(await late.assign(returning(id, 'B'), after)).toMatchObject({
      variant: { key: 'B' },
      revision: 7,
    });
    expect(await inLedger(id)).toEqual({ variant: 'B', phase: 1, revision: 7 });
  });

  test('to a variant that is gone by now is not forgotten by who remembers the time before', async () => {
    const first = planChange(undefined, definition, 'new-visitors').definition;
    const second = planChange(first, weighted(40, 30, 30), 'move-fewest').definition;
    const third = planChange(second, weighted(40, 0, 60), 'new-visitors').definition;
    const [before, ahead] = [worker(), worker()];
    const id = visitorAt(4000, 5000);
    expect(await before.assign(returning(id), compileExperiment(first))).toMatchObject({
      variant: { key: 'control' },
    });
    expect(await ahead.assign(returning(id, 'control'), compileExperiment(second))).toMatchObject({
      variant: { key: 'A' },
    });
    // No move is left to say that control is past; the cookie is, which names what is gone.
    const without = compileExperiment(third);
    expect(await before.assign(returning(id, 'A'), without)).toMatchObject({
      variant: { key: 'B' },
      source: 'hash',
    });
    expect(await inLedger(id)).toMatchObject({ variant: 'B' });
    // That cookie is old news the second time.
    expect(before.assign(returning(id, 'A'), without)).toMatchObject({ source: 'cache' });
  });

  test('there and back is seen by who made the one and lags behind the other', async () => {
    const first = planChange(undefined, weighted(50, 0, 50), 'new-visitors').definition;
    const there = planChange(first, weighted(40, 0, 60), 'move-fewest').definition;
    const back = planChange(there, weighted(50, 0, 50), 'move-fewest').definition;
    const [late, ahead] = [worker(), worker()];
    // Those slots that B was given, and gives back, are its last.
    const experiment = compileExperiment(there);
    const id = visitorAt(9000, 10_000);
    await store.getOrSet(id, 'home', { variant: 'B', phase: 1, revision: 5 }, ['B']);
    expect(experiment.variantAt(9500).key).toBe('B');
    const toControlAgain = compileExperiment(back);
    expect(await late.assign(returning(id, 'control'), experiment)).toMatchObject({
      variant: { key: 'B' },
    });
    late.told(id, 'home');
    expect(await ahead.assign(returning(id, 'B'), toControlAgain)).toMatchObject({
      variant: { key: 'control' },
    });
    expect(await late.assign(returning(id, 'control'), experiment)).toMatchObject({
      variant: { key: 'control' },
      source: 'store',
    });
  });

  test('that has ended is not undone by who remembers the time before', async () => {
    const first = planChange(undefined, weighted(50, 0, 50), 'new-visitors').definition;
    const second = planChange(first, weighted(40, 0, 60), 'move-fewest').definition;
    const third = compileExperiment(
      planChange(second, weighted(100, 0, 0), 'new-visitors').definition,
    );
    expect(third).toMatchObject({ movesEnded: third.revision, movedFrom: new Set() });
    const flaky = { ...store, isAway: false };
    flaky.getOrSet = async (...call) => {
      if (flaky.isAway) throw new Error('away');
      return store.getOrSet(...call);
    };
    const [before, ahead] = [worker(flaky), worker()];
    const [id, other] = [visitorAt(4000, 5000), visitorAt(0, 4000)];
    for (const one of [id, other]) await before.assign(returning(one), compileExperiment(first));
    // A request in the background: its cookie stays as it is.
    expect(await ahead.assign(returning(id, 'control'), compileExperiment(second))).toMatchObject({
      variant: { key: 'B' },
    });
    expect(await before.assign(returning(id, 'control'), third)).toMatchObject({
      variant: { key: 'B' },
      source: 'store',
    });
    expect(before.assign(returning(id, 'control'), third)).toMatchObject({ source: 'cache' });
    // With nobody to ask, memory is better than nothing.
    flaky.isAway = true;
    for (let n = 0; before.status().breaker === 'closed'; n += 1) {
      await before.assign(returning(mint(), n % 2 === 0 ? 'control' : 'B'), third);
    }
    expect(before.assign(returning(other), third)).toMatchObject({
      variant: { key: 'control' },
      source: 'cache',
    });
  });

  test('does not undo what was assigned by hand after it', async () => {
    const id = mover();
    await store.getOrSet(id, 'home', { variant: 'B', phase: 1, revision: 6 }, ['B']);
    expect(await worker().assign(returning(id, 'control'), after)).toMatchObject({
      variant: { key: 'B' },
      source: 'store',
    });
  });

  test('of a paused experiment takes who is assigned, and nobody else', async () => {
    const stored = mover();
    await store.getOrSet(stored, 'home', { variant: 'B', phase: 1, revision: 5 }, ['B']);
    const assigner = worker();
    const moving = { kind: 'assigned', variant: { key: 'control' }, revision: 7 };
    expect(await assigner.assign(returning(stored), pausedAfter)).toMatchObject(moving);
    expect(await assigner.assign(returning(mover(), 'B'), pausedAfter)).toMatchObject(moving);
    expect(await assigner.assign(returning(mover()), pausedAfter)).toMatchObject({
      source: 'paused',
    });
    await assigner.close();
    expect(await inLedger(stored)).toMatchObject({ variant: 'control', revision: 7 });
  });

  test('of a paused experiment finds those whom memory alone knows', async () => {
    const own = createAssigner({});
    const id = mover();
    await own.assign(returning(id), running);
    expect(own.assign(returning(id), pausedAfter)).toMatchObject({
      kind: 'assigned',
      variant: { key: 'control' },
    });
  });

  test('while the ledger is away holds once it is back', async () => {
    let isAway = false;
    const flaky: AssignmentStore = {
      getOrSet: async (...call) => {
        if (isAway) throw new Error('away');
        return store.getOrSet(...call);
      },
      get: async (id) => {
        if (isAway) throw new Error('away');
        return store.get(id);
      },
      close: () => store.close(),
    };
    const assigner = worker(flaky);
    const id = mover();
    await assigner.assign(returning(id), running);
    expect(await inLedger(id)).toMatchObject({ variant: 'B' });
    isAway = true;
    expect(await assigner.assign(returning(id, 'B'), after)).toMatchObject(toControl);
    expect(await inLedger(id)).toMatchObject({ variant: 'B' });
    isAway = false;
    await expect.poll(() => inLedger(id)).toEqual({ variant: 'control', phase: 1, revision: 6 });
    time += DAY;
    expect(await assigner.assign(returning(id, 'control'), after)).toMatchObject({
      variant: { key: 'control' },
      source: 'store',
    });
  });
});

describe('forget', () => {
  let folder: string;
  let ledger: Ledger;
  let assigner: Assigner;
  /** Called before each write: what it throws is the store's answer. */
  let gate: () => Promise<void>;
  let calls: VisitorId[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnout-assigner-'));
    ledger = createEmbeddedStore({ file: join(folder, 'ledger.db'), ttl: DAY });
    calls = [];
    const store: AssignmentStore = {
      getOrSet: async (...call) => {
        calls.push(call[0]);
        await gate();
        return ledger.getOrSet(...call);
      },
      get: (id) => ledger.get(id),
      close: () => ledger.close(),
    };
    assigner = createAssigner({ store, deadline: 10_000 });
  });
  afterEach(async () => {
    await assigner.close();
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  test('drops memory and waiting writes of one visitor', async () => {
    const opened = Promise.withResolvers<void>();
    gate = () => opened.promise;
    const [gone, kept, asked] = [mint(), mint(), mint()];
    await assigner.assign({ id: gone, mirror: [], minted: true }, running);
    await assigner.assign({ id: kept, mirror: [], minted: true }, running);
    const asking = assigner.assign(returning(asked), running);
    expect(assigner.status()).toMatchObject({ cached: 2, writeBehindLength: 2 });
    assigner.forget(gone);
    assigner.forget(asked);
    expect(assigner.status()).toMatchObject({ cached: 1, writeBehindLength: 1 });
    opened.resolve();
    expect(await asking).toMatchObject({ kind: 'assigned' });
    await assigner.close();
    expect(calls.toSorted()).toEqual([kept, asked].toSorted());
    expect((await ledger.get(gone)).size).toBe(0);
    // An answer that was under way is given, and not kept.
    expect(assigner.status().cached).toBe(1);
  });

  test('drops what is remembered of every experiment', async () => {
    gate = () => Promise.resolve();
    const all = ['a', 'b', 'c'].map((key) => compileExperiment({ ...running.definition, key }));
    const [gone, kept] = [mint(), mint()];
    for (const experiment of all) {
      for (const id of [gone, kept]) {
        await assigner.assign({ id, mirror: [], minted: true }, experiment);
      }
    }
    await expect.poll(() => assigner.status().writeBehindLength).toBe(0);
    assigner.forget(gone);
    expect(assigner.status().cached).toBe(3);
    expect(await assigner.assign(returning(kept), all[0] ?? running)).toMatchObject({
      source: 'cache',
    });
  });

  test('does not try a failed write of the visitor again', async () => {
    const closed = Promise.withResolvers<void>();
    gate = () => closed.promise;
    const id = mint();
    await assigner.assign({ id, mirror: [], minted: true }, running);
    await expect.poll(() => calls).toEqual([id]);
    assigner.forget(id);
    closed.reject(new Error('away'));
    await assigner.close();
    expect(assigner.status()).toMatchObject({ writeBehindLength: 0, cached: 0, storeErrors: 1 });
    expect(calls).toEqual([id]);
  });
});

describe('without asking anybody', () => {
  const assigner = createAssigner({});
  const visitor: Visitor = { id: mint(), mirror: [], minted: false };

  test('without a store the mirror decides, then the hash', () => {
    const id = visitorNotOf('A');
    expect(assigner.assign(returning(id, 'A'), running)).toMatchObject({ source: 'mirror' });
    expect(assigner.assign(visitor, running)).toMatchObject({ source: 'hash' });
    expect(assigner.assign(visitor, running)).toMatchObject({ source: 'cache' });
    expect(assigner.status()).toMatchObject({ breaker: undefined, writeBehindLength: 0 });
  });

  test('paused without a store: the mirror alone keeps visitors', () => {
    const own = createAssigner({});
    expect(own.assign(returning(mint(), 'A'), paused)).toMatchObject({ source: 'mirror' });
    expect(own.assign(returning(mint()), paused)).toMatchObject({ source: 'paused' });
  });

  test.each([
    ['draft', {}, 'control'],
    ['killed', {}, 'control'],
    ['concluded', { winner: 'B' }, 'B'],
  ] as const)('%s', (status, change, variant) => {
    const experiment = compileExperiment({ ...definition, status, ...change, coverage: 0 });
    expect(assigner.assign(visitor, experiment)).toEqual({
      kind: 'unassigned',
      experiment: 'home',
      variant: experiment.variant(variant),
      source: status,
    });
  });

  test('the holdout gets control', () => {
    const experiment = compileExperiment({ ...definition, coverage: 0 });
    expect(assigner.assign(visitor, experiment)).toMatchObject({
      kind: 'unassigned',
      variant: { key: 'control' },
      source: 'holdout',
    });
  });
});

const redisIsHere = hasRedis();
describe.skipIf(!redisIsHere)(
  `with a failing Redis${redisIsHere ? '' : ' (left out: no redis-server in PATH)'}`,
  () => {
    let redis: RedisServer;
    let store: Ledger;
    let assigner: Assigner;
    let outages: string[];

    beforeAll(async () => {
      redis = await startRedis();
    });
    beforeEach(async () => {
      store = createRedisStore({ url: redis.url, ttl: DAY });
      await store.ready(10_000);
      outages = [];
      assigner = createAssigner({
        store,
        breaker: { delay: 20, maxDelay: 100 },
        onBreaker: (state) => outages.push(state),
      });
    });
    afterEach(async () => {
      await assigner.close();
      await store.close();
    });
    afterAll(async () => {
      await redis?.stop();
    });

    const breaker = (): string | undefined => assigner.status().breaker;

    test('stopped: requests wait for the deadline, then not at all, then go on as before', async () => {
      const known = visitorNotOf('A');
      await store.getOrSet(known, 'home', { variant: 'A', phase: 1, revision: 1 }, ['A']);
      redis.pause();
      const fresh = mint();
      const began = performance.now();
      expect(await assigner.assign(returning(known, 'A'), running)).toMatchObject({
        variant: { key: 'A' },
        source: 'mirror',
      });
      const waited = performance.now() - began;
      expect(waited).toBeGreaterThanOrEqual(20);
      // 25 ms, on a machine that is busy with other tests.
      expect(waited).toBeLessThan(500);
      for (let n = 0; n < 4; n += 1) await assigner.assign(returning(mint()), running);
      expect(assigner.status().storeTimeouts).toBeGreaterThan(0);
      expect(breaker()).not.toBe('closed');

      const atOnce = assigner.assign(returning(fresh, 'B'), running);
      expect(atOnce).toMatchObject({ variant: { key: 'B' }, source: 'mirror' });
      expect(assigner.assign(returning(mint()), running)).toMatchObject({ source: 'hash' });
      expect(assigner.status().writeBehindLength).toBeGreaterThanOrEqual(2);

      redis.resume();
      await expect.poll(breaker, { timeout: 10_000 }).toBe('closed');
      await expect
        .poll(async () => (await store.get(fresh)).get('home')?.variant, { timeout: 10_000 })
        .toBe('B');
      await expect.poll(() => assigner.status().writeBehindLength, { timeout: 10_000 }).toBe(0);
      expect(await assigner.assign(returning(mint()), running)).toMatchObject({ source: 'hash' });
    });

    test('killed and back: nobody moves, and what was decided meanwhile arrives', async () => {
      const known = visitorNotOf('A');
      await store.getOrSet(known, 'home', { variant: 'A', phase: 1, revision: 1 }, ['A']);
      await redis.kill();
      const during = Array.from({ length: 300 }, () => mint());
      for (const id of during) {
        const result = await assigner.assign(returning(id), running);
        expect(result).toMatchObject({ variant: { key: hashOf(id) }, source: 'hash' });
      }
      expect(breaker()).not.toBe('closed');
      expect(assigner.status()).toMatchObject({ breakerOpened: 1, writeBehindLength: 300 });

      await redis.restart();
      await expect.poll(breaker, { timeout: 10_000 }).toBe('closed');
      await expect.poll(() => assigner.status().writeBehindLength, { timeout: 10_000 }).toBe(0);
      expect(outages).toEqual(['open', 'closed']);
      await assigner.close();
      for (const id of during) {
        expect((await store.get(id)).get('home')?.variant).toBe(hashOf(id));
      }
      // The append-only file kept the visitor of before; nothing else knows of A here.
      expect(await assigner.assign(returning(known), running)).toMatchObject({
        variant: { key: 'A' },
        source: 'store',
      });
    });

    test('never there: the process goes on without it', async () => {
      const nobody = createRedisStore({ url: 'redis://127.0.0.1:1', ttl: DAY });
      const own = createAssigner({ store: nobody, writeBehindSize: 10 });
      expect(await nobody.ready(50)).toBe(false);
      for (let n = 0; n < 30; n += 1) {
        expect(await own.assign(returning(mint(), 'A'), running)).toMatchObject({
          source: 'mirror',
        });
      }
      expect(own.status()).toMatchObject({ writeBehindLength: 10 });
      expect(own.status().writeBehindDropped).toBeGreaterThanOrEqual(20);
      await own.close(10);
      await nobody.close();
    });

    test('out of memory: reads go on, assignments wait to be written', async () => {
      const full = await startRedis({
        settings: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'],
      });
      const ledger = createRedisStore({ url: full.url, ttl: DAY });
      await ledger.ready(10_000);
      const own = createAssigner({ store: ledger, breaker: { delay: 20 } });
      for (let n = 0; n < 20; n += 1) {
        expect(await own.assign(returning(mint()), running)).toMatchObject({ source: 'hash' });
      }
      expect(own.status().breaker).not.toBe('closed');
      expect(own.status().writeBehindLength).toBe(20);
      await own.close(10);
      await ledger.close();
      await full.stop();
    });
  },
);
