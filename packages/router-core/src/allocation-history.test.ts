import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planChange } from './allocation.ts';
import type { Meaning } from './allocation.ts';
import { createAssigner } from './assigner.ts';
import { propose, proposeFromHash, proposeFromMirror } from './assignment.ts';
import { createEmbeddedStore } from './embedded/index.ts';
import { compileExperiment, slotOwners } from './experiment.ts';
import type { Experiment, ExperimentDefinition, VariantDefinition } from './experiment.ts';
import { SLOTS, checkPartition, slotOf } from './slots.ts';
import type { AssignmentStore } from './store.ts';
import { visitorId } from './visitor-cookie.ts';
import type { MirrorEntry, VisitorId } from './visitor-cookie.ts';

/**
 * Random histories of weight changes: what holds after each change, and what visitors get who
 * come and go meanwhile, by cookies, memory and a ledger that is sometimes away.
 */

const KEYS = ['control', 'A', 'B', 'C'] as const;
const MEANINGS: readonly Meaning[] = ['new-visitors', 'move-fewest', 'new-phase'];

/** Weights by key; a variant that is not named is gone. */
type Weights = readonly (readonly [key: string, hundredths: number])[];

function weightsOf(keys: readonly string[]): fc.Arbitrary<Weights> {
  return fc
    .array(fc.integer({ min: 0, max: SLOTS }), {
      minLength: keys.length - 1,
      maxLength: keys.length - 1,
    })
    .map((cuts) => [0, ...cuts.toSorted((a, b) => a - b), SLOTS])
    .map((cuts) => keys.map((key, index) => [key, (cuts[index + 1] ?? 0) - (cuts[index] ?? 0)]));
}

const anyWeights = fc
  .subarray(KEYS.slice(1))
  .chain((others) => fc.shuffledSubarray([KEYS[0], ...others], { minLength: others.length + 1 }))
  .chain(weightsOf);

interface Change {
  readonly weights: Weights;
  readonly meaning: Meaning;
}
function changes(weights: fc.Arbitrary<Weights>, meanings = MEANINGS): fc.Arbitrary<Change> {
  return fc.record({ weights, meaning: fc.constantFrom(...meanings) });
}

function document(weights: Weights): ExperimentDefinition {
  return {
    key: 'home',
    status: 'running',
    phase: 1,
    revision: 1,
    scope: { paths: ['/'] },
    variants: weights.map(([key, hundredths]): VariantDefinition => ({
      key,
      upstream: key,
      weight: hundredths / 100,
      control: key === 'control',
    })),
  };
}

const firstOf = (weights: Weights): ExperimentDefinition =>
  planChange(undefined, document(weights), 'new-visitors').definition;

const visitors: readonly VisitorId[] = Array.from({ length: 12 }, (_, n) =>
  visitorId(Buffer.alloc(16, n + 1).toString('base64url')),
);

/** For each slot, what a visitor gets who had `had` there and is back now. */
function whoHas(definition: ExperimentDefinition, had: readonly string[]): readonly string[] {
  const experiment = compileExperiment(definition);
  return had.map((variant, slot) => {
    const departs = experiment.departures(slot).some((left) => left.variant === variant);
    const isGone = experiment.variant(variant) === undefined;
    return departs || isGone ? experiment.variantAt(slot).key : variant;
  });
}

describe('after each change', () => {
  test('slots are whole, the fewest have moved, and moves lead to owners', () => {
    fc.assert(
      fc.property(anyWeights, fc.array(changes(anyWeights), { maxLength: 8 }), (first, history) => {
        let definition = firstOf(first);
        for (const { weights, meaning } of history) {
          const before = definition;
          const plan = planChange(before, document(weights), meaning);
          definition = plan.definition;

          const ranges = definition.variants.map(({ slots = [] }) => slots);
          checkPartition(ranges.flat());
          for (const own of ranges) {
            // Sorted and merged: each begins after the end of the one before.
            for (const [index, [start]] of own.slice(1).entries()) {
              expect(start).toBeGreaterThan(own[index]?.[1] ?? SLOTS);
            }
          }
          const old = new Map(before.variants.map(({ key, weight }) => [key, weight]));
          const fewest = weights.reduce(
            (sum, [key, hundredths]) =>
              sum + Math.max(0, hundredths - Math.round((old.get(key) ?? 0) * 100)),
            0,
          );
          expect(plan.slotsMoved).toBe(fewest);
          // Compiling refuses a move of slots that are not its target's.
          const experiment = compileExperiment(definition);
          const isNewPhase = meaning === 'new-phase';
          expect(experiment.phase).toBe(before.phase + (isNewPhase ? 1 : 0));
          expect(isNewPhase && experiment.movedFrom.size > 0).toBe(false);
          for (const from of new Set(plan.moves.map((move) => move.from))) {
            const parts = plan.moves.filter((move) => move.from === from);
            const sum = parts.reduce((total, { share }) => total + share, 0);
            expect(sum).toBeLessThanOrEqual(1 + 1e-9);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    { when: 'at once', isLate: false, weights: anyWeights },
    // Not with variants that come back: who slept through their absence still has them.
    { when: 'after all changes', isLate: true, weights: weightsOf(KEYS) },
  ])(
    'if the fewest move, all whom the hash drew are split by the weights, $when',
    ({ isLate, weights: some }) => {
      const histories = fc.array(changes(some, ['move-fewest']), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(some, histories, (first, history) => {
          let definition = firstOf(first);
          let has = slotOwners(definition.variants);
          for (const [index, { weights, meaning }] of history.entries()) {
            definition = planChange(definition, document(weights), meaning).definition;
            if (!isLate || index === history.length - 1) has = whoHas(definition, has);
          }
          expect(has).toEqual(slotOwners(definition.variants));
        }),
        { numRuns: 30 },
      );
    },
  );

  test('for new visitors, the cookie alone keeps everybody', () => {
    const history = fc.array(changes(anyWeights), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(anyWeights, history, (first, all) => {
        let definition = firstOf(first);
        const served = (id: VisitorId, mirror: readonly MirrorEntry[]): MirrorEntry => {
          const experiment = compileExperiment(definition);
          const { variant, phase } =
            proposeFromMirror(experiment, { id, mirror }) ?? proposeFromHash(experiment, id);
          return { experiment: 'home', variant: variant.key, phase };
        };
        let mirrors = visitors.map((id) => served(id, []));
        for (const { weights, meaning } of all) {
          const before = mirrors;
          definition = planChange(definition, document(weights), meaning).definition;
          mirrors = visitors.map((id, index) => served(id, before.slice(index, index + 1)));
          const known = new Set(weights.map(([key]) => key));
          const changed = before.filter(
            (entry, index) => entry.variant !== mirrors[index]?.variant,
          );
          const asked = changed.filter(({ variant }) => known.has(variant));
          expect(meaning === 'new-visitors' ? asked : []).toEqual([]);
        }
      }),
    );
  });

  test('exactly those move whose slot changed hands', () => {
    fc.assert(
      fc.property(anyWeights, anyWeights, (first, second) => {
        const before = firstOf(first);
        const { definition } = planChange(before, document(second), 'move-fewest');
        const experiment = compileExperiment(definition);
        const owners = slotOwners(before.variants);
        const heirs = slotOwners(definition.variants);
        for (const id of visitors) {
          const slot = slotOf('home', 1, id);
          for (const variant of new Set(owners)) {
            if (experiment.variant(variant) === undefined) continue;
            const mirror = [{ experiment: 'home', variant, phase: 1 }];
            const proposal = proposeFromMirror(experiment, { id, mirror })?.variant.key;
            expect(proposal).toBe(owners[slot] === variant ? heirs[slot] : variant);
          }
        }
      }),
    );
  });

  test('more coverage moves nobody between variants', () => {
    const coverages = fc
      .array(fc.integer({ min: 0, max: SLOTS }), { minLength: 1, maxLength: 5 })
      .map((all) => all.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(anyWeights, coverages, (weights, ramp) => {
        let definition: ExperimentDefinition = { ...firstOf(weights), coverage: 0 };
        const before = new Map<VisitorId, string>();
        for (const coverage of ramp) {
          const wanted = { ...document(weights), coverage };
          const plan = planChange(definition, wanted, 'move-fewest');
          definition = plan.definition;
          expect(plan.slotsMoved).toBe(0);
          expect(plan.moves.every(({ from }) => from === 'holdout')).toBe(true);
          const experiment = compileExperiment(definition);
          const drawn = visitors.flatMap((id) => {
            const proposal = propose(experiment, id);
            return proposal === 'holdout' ? [] : [[id, proposal.key] as const];
          });
          expect(Object.fromEntries(drawn)).toMatchObject(Object.fromEntries(before));
          for (const [id, key] of drawn) before.set(id, key);
        }
      }),
    );
  });
});

/** What a visitor was last served, and by which revision it was decided. */
interface Shown {
  readonly variant: string;
  readonly phase: number;
  readonly revision: number;
}

/**
 * The reference: one revision as it should be understood, for single visitors. `left` says,
 * for a slot, since which revision a variant is no longer to be had there.
 */
interface Reference {
  readonly definition: ExperimentDefinition;
  readonly owners: readonly string[];
  readonly experiment: Experiment;
  readonly left: readonly ReadonlyMap<string, number>[];
}

const NOBODY: ReadonlyMap<string, number> = new Map();

function firstReference(weights: Weights): Reference {
  const definition = firstOf(weights);
  const owners = slotOwners(definition.variants);
  return {
    definition,
    owners,
    experiment: compileExperiment(definition),
    left: owners.map(() => NOBODY),
  };
}

function referenceAfter(before: Reference, { weights, meaning }: Change): Reference {
  const { definition } = planChange(before.definition, document(weights), meaning);
  const owners = slotOwners(definition.variants);
  const known = new Set(weights.map(([key]) => key));
  const left = owners.map((owner, slot) => {
    const old = before.owners[slot] ?? '';
    const since = before.left[slot] ?? NOBODY;
    if (meaning === 'new-phase') return NOBODY;
    if (owner !== old && meaning === 'new-visitors') return NOBODY;
    const all = owner === old ? [...since] : [...since, [old, definition.revision] as const];
    const next = all.filter(([key]) => key !== owner && known.has(key));
    return next.length === 0 ? NOBODY : new Map(next);
  });
  return { definition, owners, experiment: compileExperiment(definition), left };
}

function expected(reference: Reference, id: VisitorId, shown?: Shown, mirror?: MirrorEntry): Shown {
  const { definition, owners, left } = reference;
  const { phase, revision, variants } = definition;
  const slot = slotOf('home', phase, id);
  const drawn = { variant: owners[slot] ?? '', phase, revision };
  if (shown === undefined || shown.phase < phase) return drawn;
  if (!variants.some(({ key }) => key === shown.variant)) {
    // Whom background requests alone have moved still has the page of before, and its cookie.
    if (mirror === undefined || mirror.variant === shown.variant) return drawn;
    const { variant } = expected(reference, id, { ...mirror, revision: 0 });
    return { variant, phase, revision };
  }
  const since = left[slot]?.get(shown.variant) ?? 0;
  return shown.phase === phase && shown.revision < since ? drawn : shown;
}

/**
 * The weights without variants that were there once and have gone since: control has their
 * share. Who slept through the absence of one still has it, so a new variant needs a new key.
 */
function withoutReturns(history: readonly Reference[], weights: Weights): Weights {
  const keysOf = ({ definition }: Reference) => definition.variants.map(({ key }) => key);
  const present = new Set(history.slice(-1).flatMap(keysOf));
  const gone = new Set(history.flatMap(keysOf).filter((key) => !present.has(key)));
  const freed = weights.reduce((sum, [key, share]) => sum + (gone.has(key) ? share : 0), 0);
  return weights
    .filter(([key]) => !gone.has(key))
    .map(([key, share]) => [key, key === 'control' ? share + freed : share]);
}

type Step =
  | { readonly visit: number; readonly worker: number; readonly kind: 'navigation' | 'background' }
  | { readonly change: Change }
  /** A worker takes the newest revision. */
  | { readonly take: number }
  | { readonly event: 'ledger lost' | 'ledger away' | 'ledger back' | 'an hour' | 'restart' };

const WORKERS = 2;
const HOUR = 3_600_000;

/** What each visit got, and what it should have got. */
interface Visits {
  readonly got: string[];
  readonly should: string[];
}

/** Runs the steps with real assigners and a real ledger, and with the reference beside them. */
async function run(first: Weights, steps: readonly Step[], isLagging: boolean): Promise<Visits> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-history-'));
  let files = 0;
  const open = () => createEmbeddedStore({ file: join(folder, `${(files += 1)}.db`), ttl: 1e12 });
  let ledger = open();
  let isAway = false;
  let time = 0;
  const reach = (): typeof ledger => {
    if (isAway) throw new Error('away');
    return ledger;
  };
  const store: AssignmentStore = {
    getOrSet: async (...call) => reach().getOrSet(...call),
    get: async (id) => reach().get(id),
    close: async () => undefined,
  };
  const start = () =>
    createAssigner({
      store,
      cacheSize: 100,
      deadline: 10_000,
      breaker: { failures: 2, delay: 1, maxDelay: 2 },
      now: () => time,
    });
  const workers = Array.from({ length: WORKERS }, start);
  const written = async (): Promise<void> => {
    isAway = false;
    for (const worker of workers) {
      await expect.poll(() => worker.status().breaker, { interval: 1 }).toBe('closed');
      await expect.poll(() => worker.status().writeBehindLength, { interval: 1 }).toBe(0);
    }
  };

  const seen: Visits = { got: [], should: [] };
  const history = [firstReference(first)];
  const newest = (): Reference => history[history.length - 1] ?? firstReference(first);
  const inForce = workers.map(newest);
  const shown = new Map<VisitorId, Shown>();
  const mirrors = new Map<VisitorId, MirrorEntry>();
  const navigated = (id: VisitorId, { variant, phase }: Shown): void =>
    void mirrors.set(id, { experiment: 'home', variant, phase });

  try {
    for (const step of steps) {
      if ('visit' in step) {
        const id = visitors[step.visit];
        const worker = workers[step.worker];
        const reference = inForce[step.worker];
        if (id === undefined || worker === undefined || reference === undefined) continue;
        const entry = mirrors.get(id);
        const visitor = { id, mirror: entry === undefined ? [] : [entry], minted: false };
        const result = await worker.assign(visitor, reference.experiment);
        const should = expected(reference, id, shown.get(id), entry);
        seen.got.push(result.variant.key);
        seen.should.push(should.variant);
        shown.set(id, should);
        // While the ledger is away, the cookie is all there is for the other worker.
        if (step.kind === 'navigation' || isAway || isLagging) {
          navigated(id, should);
          worker.told(id, 'home');
        }
      } else if ('change' in step) {
        // Where slots go to others and nobody follows, a move ends: what it did is written by then.
        if (step.change.meaning === 'new-visitors') await written();
        const weights = withoutReturns(history, step.change.weights);
        history.push(referenceAfter(newest(), { ...step.change, weights }));
        if (!isLagging) inForce.fill(newest());
      } else if ('take' in step) {
        inForce[step.take] = newest();
      } else if (step.event === 'an hour') {
        time += HOUR;
      } else if (step.event === 'restart') {
        await written();
        await workers[0]?.close();
        workers[0] = start();
      } else if (step.event === 'ledger back') {
        await written();
      } else {
        // From here on the cookie speaks for the visitor, so it is one that a page has set.
        for (const [id, last] of shown) navigated(id, last);
        isAway = step.event === 'ledger away';
        if (step.event === 'ledger lost') {
          await written();
          await ledger.close();
          ledger = open();
        }
      }
    }
    return seen;
  } finally {
    isAway = false;
    await Promise.all(workers.map((worker) => worker.close()));
    await ledger.close();
    rmSync(folder, { recursive: true });
  }
}

const visits = (kinds: readonly ('navigation' | 'background')[]) =>
  fc.record({
    visit: fc.nat({ max: visitors.length - 1 }),
    worker: fc.nat({ max: WORKERS - 1 }),
    kind: fc.constantFrom(...kinds),
  });

describe('visitors of a random history get what the reference says', () => {
  test('while the ledger is lost, comes and goes, and variants too', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 12, arbitrary: visits(['navigation', 'background']) },
        { weight: 3, arbitrary: fc.record({ change: changes(anyWeights) }) },
        {
          weight: 2,
          arbitrary: fc.record({
            event: fc.constantFrom(
              'ledger lost' as const,
              'ledger away' as const,
              'ledger back' as const,
              'an hour' as const,
              'restart' as const,
            ),
          }),
        },
      ),
      { minLength: 20, maxLength: 80 },
    );
    await fc.assert(
      fc.asyncProperty(anyWeights, steps, async (first, all) => {
        const { got, should } = await run(first, all, false);
        expect(got).toEqual(should);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  }, 120_000);

  test('while workers lag behind one another', async () => {
    const weights = weightsOf(KEYS);
    const steps = fc.array(
      fc.oneof(
        { weight: 12, arbitrary: visits(['navigation']) },
        { weight: 3, arbitrary: fc.record({ change: changes(weights) }) },
        { weight: 3, arbitrary: fc.record({ take: fc.nat({ max: WORKERS - 1 }) }) },
        { weight: 1, arbitrary: fc.record({ event: fc.constant('an hour' as const) }) },
      ),
      { minLength: 20, maxLength: 80 },
    );
    await fc.assert(
      fc.asyncProperty(weights, steps, async (first, all) => {
        const { got, should } = await run(first, all, true);
        expect(got).toEqual(should);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  }, 120_000);
});
