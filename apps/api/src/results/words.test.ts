import { analyze } from '@turnout/stats';
import type { Analysis, Counts } from '@turnout/stats';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { trustOf, verdictSentence } from './words.ts';

const arm = (key: string, weight: number, visitors: number, conversions: number) => ({
  key,
  weight,
  visitors,
  conversions,
});

const sentence = (counts: Counts): string => verdictSentence(analyze(counts));
const EVEN = [arm('old', 50, 20_000, 1_000), arm('new', 50, 20_000, 1_010)];
const CLEAR = [arm('old', 50, 20_000, 1_000), arm('new', 50, 20_000, 1_400)];

test.each([
  [
    'nobody',
    { arms: [arm('old', 50, 0, 0), arm('new', 50, 0, 0)] },
    'Nobody has been counted yet.',
  ],
  [
    'one variant',
    { arms: [arm('old', 1, 10, 1)] },
    'There is only one variant: nothing can be compared.',
  ],
  [
    'a clear difference',
    { arms: CLEAR },
    'new converts better than old, with a lift from +21 % to +62 %.',
  ],
  [
    'no clear difference',
    { arms: EVEN },
    'Nothing is decided yet: the lift over control may be anything from -12 % to +16 % for new.',
  ],
  [
    'a fixed plan that is under way',
    { arms: CLEAR, plan: { kind: 'fixed', plannedVisitors: 50_000 } },
    'Nothing is decided before the planned size is reached: 40000 of 50000 visitors are there.',
  ],
  [
    'a plan at its end',
    { arms: EVEN, plan: { kind: 'hybrid', plannedVisitors: 40_000 } },
    'The planned size is reached and nothing is decided; a difference that is too small for so many visitors may be there: the lift over control may be anything from -12 % to +16 % for new.',
  ],
  [
    // By the interval of that look: the one that holds at any time may still be about 0.
    'a single look',
    {
      arms: [arm('old', 50, 20_000, 1_000), arm('new', 50, 20_000, 1_100)],
      plan: { kind: 'hybrid', plannedVisitors: 40_000 },
    },
    'new converts better than old, with a lift from +1 % to +20 %.',
  ],
  [
    'a broken split',
    { arms: [arm('old', 50, 20_000, 1_000), arm('new', 50, 15_000, 1_400)] },
    'The verdict is withheld: visitors are not split as planned, so that the variants can not be compared. If one could trust the split: new converts better than old, with a lift from +21 % to +62 %.',
  ],
] satisfies [string, Counts, string][])('the verdict of %s', (_, counts, expected) => {
  expect(sentence(counts)).toBe(expected);
});

test('the verdict is one that the plan allows, whatever the counts', () => {
  const counts = fc
    .nat(5_000)
    .chain((visitors) =>
      fc.record({ visitors: fc.constant(visitors), conversions: fc.nat(visitors) }),
    );
  fc.assert(
    fc.property(
      fc.tuple(counts, counts, counts),
      fc.constantFrom(undefined, 'hybrid' as const, 'fixed' as const),
      ([old, one, two], kind) => {
        const analysis = analyze({
          arms: [
            { key: 'old', weight: 50, ...old },
            { key: 'one', weight: 25, ...one },
            { key: 'two', weight: 25, ...two },
          ],
          ...(kind && { plan: { kind, plannedVisitors: 5_000 } }),
        });
        const words = verdictSentence(analysis);
        const { verdict } = analysis;
        expect(words).not.toMatch(/no effect|no difference|winner|NaN|undefined|Infinity/i);
        const open = verdict.kind === 'withheld' ? verdict.otherwise : verdict;
        expect(/better|worse/.test(words)).toBe(open.kind === 'decided');
        // A sentence, or two where the second is asked for.
        expect(words).toMatch(/\.$/);
      },
    ),
    { numRuns: 200 },
  );
});

test('trust says where visitors went missing', () => {
  const whole: Analysis = analyze({
    arms: [arm('old', 50, 20_000, 0), arm('new', 50, 19_990, 0)],
    stages: [
      { stage: 'assigned', visitors: { old: 20_000, new: 19_990 } },
      { stage: 'served', visitors: { old: 20_000, new: 12_000 } },
    ],
    slices: {
      edge: [
        { value: 'edge-1', visitors: { old: 10_000, new: 10_000 } },
        { value: 'edge-2', visitors: { old: 10_000, new: 6_000 } },
      ],
    },
  });
  expect(trustOf(whole)).toEqual({
    level: 'sound',
    sentence: 'The split is as planned (p 1).',
    findings: [
      'Visitors went missing between assignment and page: control stands in for one variant more often.',
      'By edge, the split is off at edge-2; without that it is as planned.',
    ],
  });
});
