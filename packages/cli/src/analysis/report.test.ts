import { analyze, type Counts } from '@turnout/stats';
import { describe, expect, test } from 'vitest';
import { showAnalysis } from './report.ts';

const plain = { style: (_: string, words: string) => words, columns: undefined };
const arm = (key: string, weight: number, visitors: number, conversions: number) => ({
  key,
  weight,
  visitors,
  conversions,
});
const shown = (counts: Counts, despiteSplit = false): string =>
  showAnalysis(analyze(counts), plain, { despiteSplit });

const FAINT = [arm('old', 50, 20_000, 1_000), arm('new', 50, 20_000, 1_060)];
const CLEAR = [arm('old', 50, 20_000, 1_000), arm('new', 50, 20_000, 1_400)];

test('the verdict first, then what it rests on', () => {
  expect(shown({ arms: CLEAR, power: { minimumLift: 0.1, visitorsPerDay: 1_000 } })).toBe(
    `new converts better than old.

ARM            WEIGHT  VISITORS  CONVERSIONS   RATE  95 % INTERVAL
old (control)    50 %    20,000        1,000  5.0 %  4.7 % to 5.3 %
new              50 %    20,000        1,400  7.0 %  6.7 % to 7.4 %

Lift over old, however often it is looked at:
VARIANT  0                              +62 %   LIFT  95 % INTERVAL          P
new      │             ├──────────●─────────┤  +40 %  +21 % to +62 %  < 0.0001

By a single look, at the planned size and not before:
VARIANT  DIFFERENCE, 95 % INTERVAL   LIFT, 95 % INTERVAL  TEST             P
new      +1.5 points to +2.5 points  +29 % to +51 %       pooled-z  < 0.0001

Bayesian, not protected against peeking:
ARM  BEATS CONTROL   IS BEST   EXPECTED LOSS
old                  < 0.1 %        2 points
new       > 99.9 %  > 99.9 %  < 0.001 points

✓ Visitors are split as planned (p 1).

So many visitors find, 80 times of 100, a lift from: new +13 %.
The minimum lift takes 62,468 visitors.
Days left at the present traffic: 23.`,
  );
});

describe('nothing is said that the plan does not allow', () => {
  const plans: Counts['plan'][] = [
    { kind: 'open-ended' },
    { kind: 'hybrid', plannedVisitors: 40_000 },
    { kind: 'hybrid', plannedVisitors: 40_001 },
    { kind: 'fixed', plannedVisitors: 40_000 },
    { kind: 'fixed', plannedVisitors: 40_001 },
  ];
  const cases = plans.flatMap((plan) =>
    [FAINT, CLEAR].flatMap((arms) => [
      { plan, arms },
      { plan, arms: arms.toReversed() },
    ]),
  );
  test.each(cases)('%j', (counts) => {
    const { verdict } = analyze(counts);
    const text = shown(counts);
    expect(text).not.toMatch(/no effect|no difference|winner|wins/i);
    expect(/converts (better|worse)/.test(text)).toBe(verdict.kind === 'decided');
  });

  test('not even at the end of the plan', () => {
    expect(shown({ arms: FAINT, plan: { kind: 'hybrid', plannedVisitors: 40_000 } })).toMatch(
      /^Not decided: the plan is at its end, and what was counted can still be chance\./,
    );
    expect(shown({ arms: FAINT, plan: { kind: 'hybrid', plannedVisitors: 90_000 } })).toMatch(
      /^Not decided yet: the plan looks at 90,000 visitors, and there are 40,000\./,
    );
  });

  test('a fixed plan hides what tempts', () => {
    const text = shown({ arms: CLEAR, plan: { kind: 'fixed', plannedVisitors: 90_000 } });
    expect(text).toContain('hidden until the planned size');
    expect(text).not.toMatch(/> 99\.9 %|pooled-z/);
  });
});

describe('a broken split', () => {
  const counts: Counts = {
    arms: [arm('old', 50, 20_000, 1_000), arm('new', 50, 18_000, 1_400)],
    stages: [
      { stage: 'assigned', visitors: { old: 20_000, new: 20_100 } },
      { stage: 'served', visitors: { old: 20_000, new: 18_000 } },
    ],
    slices: {
      edge: [
        { value: 'one', visitors: { old: 10_000, new: 10_000 } },
        { value: 'two', visitors: { old: 10_000, new: 8_000 } },
      ],
    },
    fallbacks: { old: 3, new: 300 },
  };

  test('withholds the verdict, and says where visitors went missing', () => {
    const text = shown(counts);
    expect(text).toMatch(/^No verdict: visitors were not split as planned/);
    expect(text).not.toContain('converts better');
    expect(text).toContain(
      '✗ Visitors went missing before they were served: old +5.3 %, new -5.3 %.',
    );
    expect(text).toContain('✗ By edge, the split is broken for two; the rest is split as planned.');
    expect(text).toContain('✗ new is served by another upstream at another rate than control');
  });

  test('and tells it all the same to whoever asks', () => {
    expect(shown(counts, true)).toMatch(
      /If the split were as planned:\nnew converts better than old\./,
    );
  });
});

test.each<[string, Counts, RegExp]>([
  ['no arms', { arms: [] }, /^There are no arms\./],
  ['one arm', { arms: FAINT.slice(0, 1) }, /^There is one arm/],
  ['control missing', { arms: FAINT, control: 'x' }, /^Control is not among the arms/],
  ['nobody', { arms: [arm('a', 1, 0, 0), arm('b', 1, 0, 0)] }, /no visitors/],
  ['no conversions', { arms: [arm('a', 1, 9, 0), arm('b', 1, 9, 0)] }, /-100 % to no limit/],
  ['no weight', { arms: [arm('a', 1, 9, 0), arm('b', 0, 0, 0)] }, /never ran beside control/],
  ['all converted', { arms: [arm('a', 1, 9, 9), arm('b', 1, 9, 9)] }, /100 %/],
])('%s', (_, counts, words) => {
  const text = shown(counts);
  expect(text).toMatch(words);
  expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
});

test('warnings', () => {
  const text = shown({
    arms: [arm('a', 1, 100, 24), arm('b', 1, 100, 30)],
    earlier: [{ arms: [arm('a', 9, 90, 0), arm('b', 1, 10, 1)] }],
    plan: { kind: 'hybrid', plannedVisitors: 250 },
  });
  expect(text).toContain('! a has fewer than 25 conversions (24)');
  expect(text).toContain('! Weights changed');
  expect(text).toContain('! The single look is taken at 300 visitors, later than planned');
});
