import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Analysis } from './analysis.ts';
import { analyze } from './analyze.ts';
import type { ArmCounts, Counts } from './counts.ts';
import { known } from './test-figures.ts';

const arm = (key: string, weight: number, visitors: number, conversions: number): ArmCounts => ({
  key,
  weight,
  visitors,
  conversions,
});
const SOME: Counts = {
  control: 'wordpress',
  arms: [arm('wordpress', 50, 1_000, 50), arm('next', 50, 1_010, 62)],
};

const hybrid = (plannedVisitors: number) => ({ kind: 'hybrid' as const, plannedVisitors });

describe('every input has an answer', () => {
  const count = fc.oneof(fc.constant(0), fc.nat(30), fc.nat(100_000_000));
  const counts = fc.record(
    {
      control: fc.constantFrom('a', 'b', 'nowhere'),
      alpha: fc.constantFrom(0.05, 0.2, 1e-9),
      kappa: fc.constantFrom(0.5, 100, 1_000_000),
      arms: fc
        .array(fc.tuple(fc.constantFrom(0, 0.2, 1, 30), count, count), { maxLength: 4 })
        .map((rows) =>
          rows.map(([weight, x, y], index) =>
            arm('abcd'.charAt(index), weight, Math.max(x, y), Math.min(x, y)),
          ),
        ),
      plan: fc.constantFrom(
        { kind: 'hybrid' as const, plannedVisitors: 1_000 },
        { kind: 'fixed' as const, plannedVisitors: 1_000_000_000 },
        { kind: 'open-ended' as const },
      ),
      power: fc.constantFrom({ minimumLift: 0.1 }, { minimumLift: -0.5, visitorsPerDay: 10 }, {}),
    },
    { requiredKeys: ['arms'] },
  );

  test('without NaN or infinity, whatever was counted', () => {
    fc.assert(
      fc.property(counts, (input) => {
        const analysis = analyze(input);
        expect(impossible(analysis)).toEqual([]);
        expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
      }),
    );
  });

  test('of two segments and any carry as well', () => {
    fc.assert(
      fc.property(counts, counts, (first, second) => {
        const { carry } = analyze(first);
        const earlier = [{ arms: first.arms }];
        expect(impossible(analyze({ ...second, earlier, previous: carry }))).toEqual([]);
      }),
    );
  });

  test.each<[string, Partial<Counts>, Analysis['verdict']]>([
    ['no arms', { arms: [] }, { kind: 'undecided', reason: 'no-arms' }],
    ['one arm', { arms: SOME.arms.slice(0, 1) }, { kind: 'undecided', reason: 'one-arm' }],
    ['control missing', { control: 'vue' }, { kind: 'undecided', reason: 'control-missing' }],
    [
      'empty arms',
      { arms: [arm('wordpress', 1, 0, 0), arm('next', 1, 0, 0)] },
      { kind: 'undecided', reason: 'running' },
    ],
  ])('%s', (_, change, verdict) => {
    expect(analyze({ ...SOME, ...change }).verdict).toEqual(verdict);
  });

  test('the first arm is control unless told otherwise', () => {
    expect(analyze({ arms: SOME.arms }).control).toBe('wordpress');
    expect(analyze({ ...SOME, control: 'vue' })).toMatchObject({ control: null, comparisons: [] });
  });

  test.each<[Partial<Counts>, RegExp]>([
    [{ arms: [arm('a', 1, 5, 6)] }, /no more conversions than visitors for a, got 6 of 5/],
    [{ arms: [arm('a', 1, 5.5, 0)] }, /visitors of a as a whole number/],
    [{ arms: [arm('a', 1, 5, -1)] }, /conversions of a as a whole number/],
    [{ arms: [arm('a', -1, 5, 1)] }, /a weight from 0 for a, got -1/],
    [{ arms: [arm('a', 1, 5, 1), arm('a', 1, 5, 1)] }, /each key once, got a twice/],
    [{ earlier: [{ arms: [arm('a', 1, 1, 2)] }] }, /earlier\[0\].arms/],
    [{ alpha: 1 }, /alpha between 0 and 1, got 1/],
    [{ kappa: 0 }, /kappa above 0, got 0/],
    [{ expectedConversions: Number.NaN }, /expectedConversions above 0, got NaN/],
    [{ plan: { kind: 'hybrid' } }, /a hybrid plan needs plannedVisitors/],
    [{ plan: { kind: 'open-ended', plannedVisitors: 0 } }, /plannedVisitors above 0/],
    [{ power: { minimumLift: 0 } }, /minimumLift above -1 and not 0/],
    [{ power: { baseline: 1 } }, /baseline between 0 and 1/],
    [{ power: { power: 0 } }, /power.power between 0 and 1/],
    [{ power: { visitorsPerDay: -1 } }, /visitorsPerDay from 0/],
    [{ previous: { sampleRatioP: 2, comparisons: [] } }, /sampleRatioP from 0 to 1/],
    [
      { stages: [{ stage: 'served', visitors: { vue: 3 } }] },
      /stage served: expected keys of arms, got vue/,
    ],
    [
      { slices: { day: [{ value: 'Mon', visitors: { next: 0.5 } }] } },
      /day Mon: expected whole numbers/,
    ],
    [{ fallbacks: { next: 1_011 } }, /fallbacks: expected no more than visitors of next/],
  ])('but for counts that can’t be: %j', (change, message) => {
    expect(() => analyze({ ...SOME, ...change })).toThrow(RangeError);
    expect(() => analyze({ ...SOME, ...change })).toThrow(message);
  });
});

describe('plans', () => {
  const clear = [
    arm('wordpress', 1, 20_000, 1_000),
    arm('next', 1, 20_000, 1_400),
    arm('vue', 1, 20_000, 650),
  ];
  const faint = [arm('wordpress', 1, 20_000, 1_000), arm('next', 1, 20_000, 1_110)];

  test('open-ended decides as soon as the always-valid p allows', () => {
    const { verdict, comparisons } = analyze({ arms: clear });
    expect(verdict).toEqual({ kind: 'decided', better: ['next'], worse: ['vue'], open: [] });
    expect(comparisons.map(({ decision }) => decision)).toEqual([
      { kind: 'decided', rule: 'always-valid', direction: 'better' },
      { kind: 'decided', rule: 'always-valid', direction: 'worse' },
    ]);
    expect(analyze({ arms: faint }).verdict).toEqual({ kind: 'undecided', reason: 'running' });
  });

  test('hybrid keeps most of alpha for one look at the planned size', () => {
    const before = analyze({ arms: faint, plan: hybrid(40_001) });
    expect(before.plan).toMatchObject({ runningAlpha: 0.01, finalAlpha: 0.04 });
    expect(before.verdict).toEqual({ kind: 'undecided', reason: 'running' });
    const at = analyze({ arms: faint, plan: hybrid(40_000) });
    expect(at.comparisons[0]?.decision).toEqual({
      kind: 'decided',
      rule: 'single-look',
      direction: 'better',
    });
    expect(analyze({ arms: clear, plan: hybrid(100_000) }).verdict).toMatchObject({
      better: ['next'],
    });
    const even = [arm('wordpress', 1, 20_000, 1_000), arm('next', 1, 20_000, 1_001)];
    expect(analyze({ arms: even, plan: hybrid(40_000) }).verdict).toEqual({
      kind: 'undecided',
      reason: 'planned-size-reached',
    });
  });

  test('the single look is the one at the planned size, not a later one', () => {
    const later = [arm('wordpress', 1, 30_000, 1_500), arm('next', 1, 30_000, 1_540)];
    const plan = { kind: 'hybrid' as const, plannedVisitors: 40_000 };
    const frozen = analyze({ arms: later, plan: { ...plan, atPlannedSize: [{ arms: faint }] } });
    expect(frozen.verdict).toMatchObject({ kind: 'decided', better: ['next'] });
    expect(frozen.warnings).toEqual([]);
    // All that holds for one look is of that look.
    const then = analyze({ arms: faint, plan });
    for (const figure of ['singleLook', 'pooledZ', 'fisher', 'difference', 'lift'] as const) {
      expect(frozen.comparisons[0]?.[figure]).toEqual(then.comparisons[0]?.[figure]);
    }
    expect(analyze({ arms: later, plan }).warnings).toEqual([
      { kind: 'past-planned-size', visitors: 60_000 },
    ]);
  });

  test('fixed hides what tempts until the planned size', () => {
    const plan = { kind: 'fixed' as const, plannedVisitors: 100_000 };
    const { verdict, comparisons, arms, carry } = analyze({ arms: clear, plan });
    expect(verdict).toEqual({ kind: 'undecided', reason: 'running' });
    expect(carry.comparisons).toEqual([]);
    const hidden = { kind: 'unknown', reason: 'before-planned-size' };
    for (const comparison of comparisons) {
      expect(comparison).toMatchObject({
        alwaysValid: hidden,
        pooledZ: hidden,
        fisher: hidden,
        singleLook: hidden,
        difference: hidden,
        lift: hidden,
        posterior: hidden,
        decision: { kind: 'open' },
      });
    }
    expect(arms.map(({ posterior }) => posterior)).toEqual([hidden, hidden, hidden]);
    const at = analyze({ arms: clear, plan: { ...plan, plannedVisitors: 60_000 } });
    expect(at.verdict).toMatchObject({ better: ['next'], worse: ['vue'] });
    expect(at.comparisons[0]).toMatchObject({ singleLook: { method: 'pooled-z' } });
  });

  test('over several arms the clearest has to be clearer', () => {
    const equal = analyze({
      arms: ['a', 'b', 'c'].map((key) => arm(key, 1, 1_000, 50 + (key === 'a' ? 0 : 20))),
    });
    for (const { singleLook } of equal.comparisons) {
      const { p, adjustedP } = known(singleLook);
      expect(adjustedP).toBeCloseTo(2 * p, 12);
    }
  });
});

describe('from one look to the next', () => {
  test('the p never rises, and the sequence never widens', () => {
    const days = [
      [500, 30, 500, 80],
      [900, 60, 900, 102],
      [1_500, 100, 1_500, 130],
      [3_000, 200, 3_000, 210],
    ] as const;
    let carry: Analysis['carry'] | undefined;
    let before = { p: 1, low: -1, high: Infinity };
    for (const [n, x, m, y] of days) {
      const { comparisons, carry: next } = analyze({
        arms: [arm('a', 1, n, x), arm('b', 1, m, y)],
        previous: carry,
      });
      const alwaysValid = known(comparisons[0]?.alwaysValid);
      const lift = known(alwaysValid.lift);
      const now = {
        p: alwaysValid.p,
        low: lift.low,
        high: lift.high ?? Infinity,
      };
      expect(now.p).toBeLessThanOrEqual(before.p);
      expect(now.low).toBeGreaterThanOrEqual(before.low);
      expect(now.high).toBeLessThanOrEqual(before.high);
      before = now;
      carry = next;
    }
    // The first look was the strongest: it holds.
    expect(before.p).toBeLessThan(0.05);
    expect(before.low).toBeGreaterThan(0);
  });

  test('what was decided is not turned round by what comes later', () => {
    const { carry } = analyze({ arms: [arm('a', 1, 5_000, 250), arm('b', 1, 5_000, 400)] });
    const reversed = [arm('a', 1, 50_000, 4_000), arm('b', 1, 50_000, 3_000)];
    const { comparisons, carry: next } = analyze({ arms: reversed, previous: carry });
    expect(comparisons[0]).toMatchObject({
      alwaysValid: { lift: { kind: 'unknown', reason: 'no-lift-fits' } },
      decision: { kind: 'decided', rule: 'always-valid', direction: 'better' },
    });
    // What was excluded once stays excluded.
    expect(next.comparisons).toMatchObject([
      { low: carry.comparisons[0]?.low, high: carry.comparisons[0]?.high },
    ]);
  });

  test('a split that was broken stays broken', () => {
    const broken = analyze({ arms: [arm('a', 1, 50_000, 2_500), arm('b', 1, 47_500, 3_400)] });
    expect(broken.sampleRatio).toMatchObject({ isBroken: true });
    expect(broken.verdict).toEqual({
      kind: 'withheld',
      reason: 'sample-ratio',
      otherwise: { kind: 'decided', better: ['b'], worse: [], open: [] },
    });
    const after = analyze({ ...SOME, previous: { ...broken.carry, comparisons: [] } });
    expect(after.sampleRatio).toMatchObject({ isBroken: true, test: { p: 1 } });
    expect(after.verdict.kind).toBe('withheld');
  });

  test('weights that changed are told, and each segment is split by its own', () => {
    const { sampleRatio, warnings, arms, comparisons } = analyze({
      arms: [arm('a', 50, 10_000, 1_000), arm('b', 50, 10_000, 1_000)],
      earlier: [{ arms: [arm('a', 90, 9_000, 450), arm('b', 10, 1_000, 50)] }],
    });
    expect(sampleRatio).toMatchObject({
      isBroken: false,
      test: { chiSquare: 0, degreesOfFreedom: 2 },
    });
    expect(sampleRatio.arms).toMatchObject([{ expected: 19_000 }, { expected: 11_000 }]);
    expect(warnings).toEqual([{ kind: 'weights-changed' }]);
    expect(arms).toMatchObject([{ visitors: 19_000, weight: 50 }, { visitors: 11_000 }]);
    expect(comparisons[0]).toMatchObject({
      pooledZ: { z: expect.closeTo(0, 9) },
      alwaysValid: { lift: { estimate: expect.closeTo(0, 9) } },
    });
  });

  test('an arm is compared with those that ran beside it only', () => {
    const { comparisons, arms } = analyze({
      arms: [arm('a', 50, 10_000, 1_000), arm('c', 50, 10_000, 1_000)],
      earlier: [{ arms: [arm('a', 50, 10_000, 500), arm('b', 50, 10_000, 500)] }],
    });
    expect(arms.map(({ key, weight }) => [key, weight])).toEqual([
      ['a', 50],
      ['c', 50],
      ['b', 0],
    ]);
    for (const { lift } of comparisons) expect(lift).toMatchObject({ estimate: 0 });
  });
});

describe('where visitors went missing', () => {
  const arms = [arm('a', 50, 100_000, 5_000), arm('b', 50, 100_000, 5_000)];

  test('the first stage that is broken', () => {
    const { stages } = analyze({
      arms,
      stages: [
        { stage: 'assigned', visitors: { a: 100_000, b: 100_000 } },
        { stage: 'served', visitors: { a: 99_000, b: 94_000 } },
        { stage: 'confirmed', visitors: { a: 80_000, b: 76_000 } },
      ],
    });
    expect(stages?.firstBroken).toBe('served');
    expect(stages?.stages.map(({ isBroken }) => isBroken)).toEqual([false, true, true]);
    expect(stages?.stages[1]?.arms[1]).toMatchObject({
      key: 'b',
      expected: 96_500,
      excess: expect.closeTo(-0.0259, 4),
    });
  });

  test('the slice that explains it', () => {
    const even = { a: 20_000, b: 20_010 };
    const { slices } = analyze({
      arms,
      slices: {
        day: ['Mon', 'Tue', 'Wed'].map((value) => ({ value, visitors: { a: 20_000, b: 19_000 } })),
        edge: [
          { value: 'one', visitors: even },
          { value: 'two', visitors: { a: 20_000, b: 17_000 } },
          { value: 'three', visitors: even },
        ],
        revision: [{ value: '4', visitors: { a: 9_000, b: 1_000 }, weights: { a: 9, b: 1 } }],
      },
    });
    expect(slices).toMatchObject([
      { dimension: 'day', broken: ['Mon', 'Tue', 'Wed'], explains: false },
      { dimension: 'edge', broken: ['two'], explains: true },
      { dimension: 'revision', broken: [], explains: false },
    ]);
  });

  test('visitors in an arm that takes none break the split', () => {
    const { sampleRatio } = analyze({ arms: [...arms, arm('c', 0, 3, 0)] });
    expect(sampleRatio).toMatchObject({
      test: { kind: 'untestable', reason: 'no-weight' },
      isBroken: true,
      arms: [{}, {}, { key: 'c', expected: 0, excess: null }],
    });
    expect(analyze({ arms: [...arms, arm('c', 0, 0, 0)] }).sampleRatio.isBroken).toBe(false);
  });

  test('fallbacks of one arm alone', () => {
    const { fallbacks } = analyze({ arms, fallbacks: { a: 20, b: 400 } });
    expect(fallbacks?.comparisons).toEqual([
      { key: 'b', p: expect.closeTo(0, 9), adjustedP: expect.closeTo(0, 9), isDifferent: true },
    ]);
    expect(fallbacks?.arms[1]?.rate).toMatchObject({ estimate: 0.004 });
    const even = analyze({ arms, fallbacks: { a: 20, b: 24 } });
    expect(even.fallbacks?.comparisons[0]?.isDifferent).toBe(false);
  });
});

describe('power', () => {
  test('counts visitors by weight, and the days until then', () => {
    const { power } = analyze({
      arms: [arm('a', 50, 1_000, 50), arm('b', 50, 1_000, 50)],
      power: { minimumLift: 0.1, baseline: 0.05, visitorsPerDay: 1_000 },
    });
    expect(power).toEqual({
      baseline: 0.05,
      power: 0.8,
      alpha: 0.05,
      // R: power.prop.test(p1 = 0.05, p2 = 0.055, power = 0.8)
      sampleSize: {
        kind: 'known',
        visitors: 62_468,
        arms: [
          { key: 'a', visitors: 31_234 },
          { key: 'b', visitors: 31_234 },
        ],
      },
      daysLeft: { kind: 'known', days: expect.closeTo(60.468, 9) },
    });
  });

  test('the lift that is found is the one that takes as many visitors', () => {
    const counts = { arms: [arm('a', 20, 20_000, 1_000), arm('b', 80, 80_000, 4_000)] };
    const found = known(analyze(counts).comparisons[0]?.detectable);
    const { sampleSize } = analyze({ ...counts, power: { minimumLift: found.lift } }).power;
    expect(sampleSize).toMatchObject({ visitors: 100_000 });
  });

  test('asks for more with more arms, and for a plan that keeps less for its single look', () => {
    const power = { minimumLift: 0.1, baseline: 0.05 };
    const size = (arms: number, plan?: Counts['plan']): number => {
      const { sampleSize } = analyze({
        arms: 'abc'
          .slice(0, arms)
          .split('')
          .map((key) => arm(key, 1, 0, 0)),
        power,
        plan,
      }).power;
      return sampleSize.kind === 'known' ? (sampleSize.arms[0]?.visitors ?? 0) : 0;
    };
    expect(size(3)).toBeGreaterThan(size(2));
    expect(size(2, { kind: 'hybrid', plannedVisitors: 10 })).toBeGreaterThan(size(2));
    expect(size(2, { kind: 'fixed', plannedVisitors: 10 })).toBe(size(2));
  });

  test('says why it can’t be told', () => {
    const ask = (power: Counts['power'], arms = SOME.arms) => analyze({ arms, power }).power;
    expect(ask({}).sampleSize).toMatchObject({ reason: 'no-minimum-lift' });
    expect(ask({ minimumLift: 0.1 }).daysLeft).toMatchObject({ reason: 'no-traffic' });
    expect(ask({ minimumLift: 30 }).sampleSize).toMatchObject({ reason: 'out-of-reach' });
    expect(ask({ minimumLift: 0.1 }, [arm('a', 1, 10, 0), arm('b', 1, 10, 0)])).toMatchObject({
      baseline: 0,
      sampleSize: { reason: 'no-baseline' },
    });
    expect(ask({ minimumLift: 0.1 }, [arm('a', 1, 0, 0), arm('b', 1, 10, 0)]).baseline).toBeNull();
    expect(ask({ minimumLift: 0.1 }, SOME.arms.slice(0, 1)).sampleSize).toMatchObject({
      reason: 'not-compared',
    });
    expect(
      analyze({ arms: [arm('a', 1, 5, 2), arm('b', 1, 5, 2)] }).comparisons[0]?.detectable,
    ).toMatchObject({ reason: 'out-of-reach' });
  });
});

test('kappa is an eighth of the conversions expected, or 100', () => {
  expect(analyze(SOME).kappa).toBe(100);
  expect(analyze({ ...SOME, expectedConversions: 4_000 }).kappa).toBe(500);
  expect(analyze({ ...SOME, expectedConversions: 4_000, kappa: 7 }).kappa).toBe(7);
});

test('few conversions are told', () => {
  expect(analyze({ arms: [arm('a', 1, 100, 24), arm('b', 1, 100, 25)] }).warnings).toEqual([
    { kind: 'few-conversions', key: 'a', conversions: 24 },
  ]);
});

/** A line for every figure that no analysis may hold: NaN, infinities, chances outside of 0 to 1. */
function impossible(value: unknown, path = ''): string[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, each]) => impossible(each, `${path}.${key}`));
  }
  const isChance = /(\.p|P|\.chance\w+)$/.test(path);
  const isFine =
    typeof value === 'number'
      ? Number.isFinite(value) && !(isChance && (value < 0 || value > 1))
      : value !== undefined;
  return isFine ? [] : [`${path}: ${String(value)}`];
}
