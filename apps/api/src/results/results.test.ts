import type { ExperimentDocument } from '@turnout/contracts';
import { allocationSchema } from '@turnout/contracts/management';
import type { TrackingEvent } from '@turnout/contracts/event';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { trackVisitors } from '../../../../test/kit/tracked-visitors.ts';
import { allocationEdit } from '../experiments/edits.ts';
import { openManagement } from '../management/open-management.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { RepositoryLocation } from '../repository/open-repository.ts';
import { readSettings } from '../settings.ts';
import { describeDatabases, query } from '../testing/databases.ts';
import type { DatabaseKind } from '../testing/databases.ts';
import { exposure, testResult, visitorOf, NOON, idOf } from '../testing/events.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { NoMetric, UnknownPhase } from './results-errors.ts';

const DAY = 86_400_000;

async function open(kind: DatabaseKind | RepositoryLocation, at = NOON + 10 * DAY) {
  const location = 'fresh' in kind ? await kind.fresh() : kind;
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  const settings = readSettings({}, () => undefined);
  const management = openManagement({
    settings: { ...settings, dataFolder: location.dataFolder },
    repository,
    logger: pino({ level: 'silent' }),
    now: () => new Date(at),
  });
  onTestFinished(async () => {
    await management.close();
    await repository.close();
  });
  const { experiments, results } = management.management;
  return {
    location,
    experiments,
    results,
    store: (events: readonly TrackingEvent[]) => repository.tracking.store(events),
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

async function create({ experiments }: Opened, changes: Record<string, unknown> = {}) {
  await experiments.change({
    edits: [
      {
        kind: 'create',
        key: 'home',
        at: [],
        document: experimentDocument({ key: 'home', ...changes }),
      },
    ],
    author: 'ada',
    reason: 'begin',
    meaning: 'new-visitors',
    dryRun: false,
  });
}

async function alter(
  { experiments }: Opened,
  change: (document: ExperimentDocument) => ExperimentDocument,
  meaning: 'new-visitors' | 'new-phase' = 'new-visitors',
) {
  const { document, revision } = await experiments.get('home');
  await experiments.change({
    edits: [{ kind: 'alter', key: 'home', at: [], from: revision, alter: () => change(document) }],
    author: 'ada',
    reason: 'change',
    meaning,
    dryRun: false,
  });
}

const PLAN = { kind: 'hybrid', metric: 'signup', minimumLift: 0.3, baseline: 0.1 };

/** As many visitors of each variant as are asked for, of whom so many convert. */
function visitors(
  groups: Record<string, readonly [visitors: number, conversions: number]>,
  changes: { revision?: number; from?: number; at?: number } = {},
): TrackingEvent[] {
  let number = changes.from ?? 0;
  return Object.entries(groups).flatMap(([variant, [all, converted]]) =>
    Array.from({ length: all }, (_, index): TrackingEvent[] => {
      number += 1;
      const visitor = visitorOf(number);
      const at = changes.at ?? NOON + Math.floor((index / all) * 8 * DAY);
      const own = { visitor, at, revision: changes.revision ?? 1 };
      return [
        exposure({ ...own, assigned: variant, requestId: idOf(number), eventId: idOf(number) }),
        ...(index < converted
          ? [testResult({ ...own, variant, eventId: idOf(1_000_000 + number) })]
          : []),
      ];
    }).flat(),
  );
}

describeDatabases('results', (kind) => {
  test('count exactly what was sent, in all and by slice', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    const { events, expected } = trackVisitors({
      experiment: 'home',
      visitors: 600,
      variants: { control: { share: 0.5, rate: 0.1 }, A: { share: 0.5, rate: 0.2 } },
      random: seeded(),
      from: NOON,
      over: 8 * DAY,
    });
    await opened.store(events);
    const { counts, metrics, excluded } = await opened.results.of('home', {});
    expect(metrics).toEqual(['signup']);
    for (const counted of counts.variants) {
      expect(counted).toMatchObject(expected.get(counted.variant) ?? {});
    }
    for (const by of ['day', 'bot', 'edge', 'revision']) {
      const slices = counts.slices.filter((slice) => slice.by === by);
      const all = slices.flatMap(({ variants }) => variants);
      expect([by, all.reduce((sum, { exposed }) => sum + exposed, 0)]).toEqual([by, 600]);
    }
    expect(counts.slices.filter(({ by }) => by === 'day')).toHaveLength(9);
    const confirmed = [...expected.values()].reduce((sum, each) => sum + each.confirmed, 0);
    expect(excluded.map(({ what, visitors: left }) => [what, left])).toEqual([
      ['bots', 0],
      ['previews', null],
      ['unconfirmed', 600 - confirmed],
    ]);
  });

  test('a clear difference is told once the rule fires, and a small one is not', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    await opened.store(visitors({ control: [1_000, 100], A: [1_000, 110] }));
    const before = await opened.results.of('home', {});
    expect(before.verdict).toMatch(
      /^Nothing is decided yet: the lift over control may be anything from -\d+ % to \+\d+ % for A\.$/,
    );
    await opened.store(visitors({ control: [1_000, 100], A: [1_000, 230] }, { from: 5_000 }));
    const after = await opened.results.of('home', {});
    expect(after.verdict).toMatch(
      /^A converts better than control, with a lift from \+\d+ % to \+\d+ %\.$/,
    );
    expect(after.trust).toMatchObject({ level: 'sound', findings: [] });
    expect(after.analyses.raw.verdict).toMatchObject({ kind: 'decided', better: ['A'] });
    expect(after.warnings).toEqual([]);
  });

  test('with a broken split the verdict is withheld, unless one asks to see it anyway', async () => {
    const opened = await open(kind);
    await create(opened);
    await opened.store(visitors({ control: [2_000, 100], A: [1_200, 160] }));
    const { verdict, trust, analyses } = await opened.results.of('home', {});
    expect(verdict).toMatch(/^The verdict is withheld/);
    expect(verdict).not.toMatch(/better/);
    expect(trust.level).toBe('broken');
    expect(trust.findings[0]).toMatch(/^Visitors went missing before their first page/);
    expect(analyses.raw.comparisons).toEqual([]);
    expect(JSON.stringify(analyses.raw.verdict)).not.toMatch(/better/);
    // Nor what else compares variants, nor the confirmed, who are some of the same visitors.
    expect(analyses.confirmed).toMatchObject({ verdict: { kind: 'withheld' }, comparisons: [] });
    for (const { posterior } of [...analyses.raw.arms, ...analyses.confirmed.arms]) {
      expect(posterior).toEqual({ kind: 'unknown', reason: 'split-broken' });
    }
    const anyway = await opened.results.of('home', { anyway: true });
    expect(anyway.verdict).toMatch(
      /^The verdict is withheld.*If one could trust the split: A converts better/,
    );
    expect(anyway.analyses.raw.comparisons).toHaveLength(1);
  });

  test('what was seen once stays seen, over a restart too', async () => {
    const opened = await open(kind);
    await create(opened);
    await opened.store(visitors({ control: [900, 20], A: [200, 20] }));
    expect((await opened.results.of('home', {})).trust.level).toBe('broken');
    await opened.store(visitors({ A: [700, 10] }, { from: 5_000 }));
    const again = await open(opened.location);
    const { trust, analyses } = await again.results.of('home', {});
    expect(trust.level).toBe('broken');
    expect(analyses.raw.sampleRatio.test).toMatchObject({ kind: 'tested', p: 1 });
  });

  test('a split that was seen broken is so for every metric', async () => {
    const opened = await open(kind);
    await create(opened);
    await opened.store(visitors({ control: [900, 20], A: [200, 20] }));
    await opened.results.look();
    await opened.store([
      ...visitors({ A: [700, 10] }, { from: 5_000 }),
      testResult({ visitor: visitorOf(1), metric: 'revenue', eventId: idOf(9_000_000) }),
    ]);
    const { trust } = await opened.results.of('home', { metric: 'revenue' });
    expect(trust.level).toBe('broken');
  });

  test('a look without news is not stored, nor one at what nothing was reported for', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    await opened.store(visitors({ control: [500, 20], A: [500, 60] }));
    for (let time = 0; time < 3; time += 1) await opened.results.of('home', {});
    await opened.results.of('home', { metric: 'made-up' });
    expect(
      await query(opened.location, 'SELECT metric, version FROM result_looks ORDER BY population'),
    ).toEqual([
      { metric: 'signup', version: 1 },
      { metric: 'signup', version: 1 },
    ]);
  });

  test('one experiment that can not be looked at holds up no other', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    await opened.experiments.change({
      edits: [
        {
          kind: 'create',
          key: 'last',
          at: [],
          document: experimentDocument({ key: 'last', plan: PLAN }),
        },
      ],
      author: 'ada',
      reason: 'begin',
      meaning: 'new-visitors',
      dryRun: false,
    });
    const events = visitors({ control: [20, 2], A: [20, 2] });
    await opened.store(events);
    await opened.results.look();
    await query(opened.location, "UPDATE result_looks SET state = '{}'");
    await opened.store(
      events.map((event, index) => ({
        ...event,
        experiment: 'last',
        eventId: idOf(7_000_000 + index),
      })),
    );
    await expect(opened.results.look()).rejects.toThrow(/no results/);
    expect(
      await query(opened.location, "SELECT metric FROM result_looks WHERE experiment = 'last'"),
    ).toHaveLength(2);
  });

  test('the control of the first look holds for the phase', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    await opened.store(visitors({ control: [1_000, 100], A: [1_000, 230] }));
    expect((await opened.results.of('home', {})).verdict).toMatch(
      /^A converts better than control/,
    );
    await alter(opened, (document) => ({
      ...document,
      variants: document.variants.map((variant) => ({ ...variant, control: !variant.control })),
    }));
    const { verdict, warnings, analyses } = await opened.results.of('home', {});
    expect(verdict).toMatch(/^A converts better than control/);
    expect(analyses.raw.control).toBe('control');
    expect(warnings).toEqual([
      { kind: 'plan-changed', message: expect.stringMatching(/^The control was changed/) },
    ]);
  });

  test('looks at once leave the smallest p of all of them', async () => {
    const opened = await open(kind);
    await create(opened);
    await opened.store(visitors({ control: [500, 20], A: [500, 60] }));
    const other = await open(opened.location);
    const seen = await Promise.all(
      [opened, other, opened, other].map(({ results }) => results.of('home', {})),
    );
    const [{ state } = {}] = await query(
      opened.location,
      "SELECT state FROM result_looks WHERE population = 'raw'",
    );
    const { carry } = seen[0]?.analyses.raw ?? {};
    expect(JSON.parse(String(state))).toMatchObject({ carry });
  });

  test('the plan of the first look holds for the phase', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    await opened.store(visitors({ control: [100, 10], A: [100, 10] }));
    await opened.results.look();
    await alter(opened, (document) => ({
      ...document,
      plan: { ...PLAN, kind: 'open-ended' },
    }));
    const { warnings, analyses } = await opened.results.of('home', {});
    expect(analyses.raw.plan.kind).toBe('hybrid');
    expect(warnings.map((warning) => warning.kind)).toContain('plan-changed');
  });

  test('the single look is taken on what there was at the planned size', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    const size = 4_000;
    await opened.store(visitors({ control: [size / 2, 200], A: [size / 2, 200] }));
    await opened.results.look();
    const first = await opened.results.of('home', {});
    expect(first.analyses.raw.plan).toMatchObject({ isPlannedSizeReached: true });
    const p = (results: typeof first) => results.analyses.raw.comparisons[0]?.singleLook;
    await opened.store(visitors({ control: [500, 20], A: [500, 80] }, { from: size }));
    expect(p(await opened.results.of('home', {}))).toEqual(p(first));
  });

  test('times with other weights are compared each by itself', async () => {
    const opened = await open(kind);
    await create(opened);
    await opened.store(visitors({ control: [500, 50], A: [500, 50] }));
    await opened.experiments.change({
      edits: [
        allocationEdit(
          'home',
          allocationSchema.parse({
            weights: { control: 90, A: 10 },
            revision: 1,
            reason: 'fewer',
          }),
        ),
      ],
      author: 'ada',
      reason: 'fewer',
      meaning: 'new-visitors',
      dryRun: false,
    });
    await opened.store(
      visitors({ control: [900, 90], A: [100, 10] }, { from: 5_000, revision: 2 }),
    );
    const { trust, warnings } = await opened.results.of('home', {});
    expect(trust).toMatchObject({ level: 'sound', findings: [] });
    expect(warnings.map((warning) => warning.kind)).toEqual(['weights-changed']);
  });

  test('a phase is asked for by its number, and has the document of its time', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    await opened.store(visitors({ control: [50, 5], A: [50, 5] }));
    await alter(opened, (document) => ({ ...document, title: 'Again' }), 'new-phase');
    expect((await opened.results.of('home', {})).counts.variants[0]?.exposed).toBe(0);
    expect((await opened.results.of('home', { phase: 1 })).counts.variants[0]?.exposed).toBe(50);
    await expect(opened.results.of('home', { phase: 3 })).rejects.toThrow(UnknownPhase);
    // By the plan of its time, whatever was planned since; a phase that nobody came to as well.
    const next = { ...PLAN, metric: 'revenue', kind: 'fixed' as const };
    await alter(opened, (document) => ({ ...document, plan: next }), 'new-phase');
    expect((await opened.results.of('home', {})).metric).toBe('revenue');
    for (const phase of [1, 2]) {
      const { metric, analyses, warnings } = await opened.results.of('home', { phase });
      expect([metric, analyses.raw.plan.kind]).toEqual(['signup', 'hybrid']);
      expect(warnings.map((warning) => warning.kind)).not.toContain('plan-changed');
    }
  });

  test('a metric has to be named where it does not follow', async () => {
    const opened = await open(kind);
    await create(opened);
    await expect(opened.results.of('home', {})).rejects.toThrow(NoMetric);
    await opened.store([exposure(), testResult()]);
    expect((await opened.results.of('home', {})).metric).toBe('signup');
    await opened.store([testResult({ metric: 'revenue', eventId: idOf(9) })]);
    await expect(opened.results.of('home', {})).rejects.toThrow(/revenue, signup/);
    expect((await opened.results.of('home', { metric: 'revenue' })).metrics).toEqual([
      'revenue',
      'signup',
    ]);
  });

  test('every warning is told when it is due', async () => {
    const opened = await open(kind, NOON + 2 * DAY);
    await create(opened, { plan: { ...PLAN, minimumLift: 0.01 } });
    await opened.store([
      ...visitors({ control: [100, 5], A: [100, 5] }, { at: NOON }),
      ...[1, 2, 3].map((number) =>
        exposure({
          visitor: visitorOf(number),
          assigned: 'A',
          requestId: idOf(900 + number),
          at: NOON + DAY,
        }),
      ),
      exposure({ visitor: visitorOf(999), bot: 'ai' }),
    ]);
    const { warnings, counts } = await opened.results.of('home', {});
    expect(warnings.map((warning) => warning.kind)).toEqual([
      'short',
      'few-conversions',
      'few-conversions',
      'in-two-variants',
      'plan-not-reachable',
    ]);
    expect(counts).toMatchObject({ inTwoVariants: 3, bots: 1 });
    expect((await opened.results.of('home', { metric: 'other' })).warnings).toContainEqual(
      expect.objectContaining({ kind: 'other-metric' }),
    );
  });

  test('nobody yet is no error', async () => {
    const opened = await open(kind);
    await create(opened, { plan: PLAN });
    const { verdict, trust, analyses } = await opened.results.of('home', {});
    expect([verdict, trust.level]).toEqual(['Nobody has been counted yet.', 'untested']);
    expect(analyses.confirmed.visitors).toBe(0);
    expect(await query(opened.location, 'SELECT * FROM result_looks')).toEqual([]);
  });
});

/** Numbers in [0, 1), the same every time. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
