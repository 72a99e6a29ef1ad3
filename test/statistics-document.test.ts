import { readFileSync } from 'node:fs';
import { analyze, type Analysis, type Counts, type Reason } from '@turnout/stats';
import { describe, expect, test } from 'vitest';

/**
 * Every name in docs/statistics.md is one of the code, and the other way round. The lists below
 * stand between the two: the compiler compares them with the types, these tests with the document.
 */

/** Names of all values in plain data; `kind` and `reason` tell how to read what is beside them. */
type Names<Data, Prefix extends string = ''> = Data extends readonly (infer Each)[]
  ? Names<Each, `${Prefix}[]`>
  : Data extends object
    ? string extends keyof Data
      ? Names<Data[keyof Data], `${Prefix}.<key>`>
      : {
          [Name in Exclude<keyof Data & string, 'kind' | 'reason'>]: Names<
            NonNullable<Data[Name]>,
            Prefix extends '' ? Name : `${Prefix}.${Name}`
          >;
        }[Exclude<keyof Data & string, 'kind' | 'reason'>]
    : Prefix;

const FIGURES = {
  control: true,
  alpha: true,
  kappa: true,
  visitors: true,
  conversions: true,
  'plan.plannedVisitors': true,
  'plan.isPlannedSizeReached': true,
  'plan.runningAlpha': true,
  'plan.finalAlpha': true,
  'verdict.better[]': true,
  'verdict.worse[]': true,
  'verdict.open[]': true,
  'verdict.otherwise.better[]': true,
  'verdict.otherwise.worse[]': true,
  'verdict.otherwise.open[]': true,
  'warnings[].key': true,
  'warnings[].conversions': true,
  'warnings[].visitors': true,
  'sampleRatio.test.p': true,
  'sampleRatio.test.logBayesFactor': true,
  'sampleRatio.test.chiSquare': true,
  'sampleRatio.test.degreesOfFreedom': true,
  'sampleRatio.test.chiSquareP': true,
  'sampleRatio.smallestP': true,
  'sampleRatio.isBroken': true,
  'sampleRatio.arms[].key': true,
  'sampleRatio.arms[].visitors': true,
  'sampleRatio.arms[].expected': true,
  'sampleRatio.arms[].excess': true,
  'arms[].key': true,
  'arms[].isControl': true,
  'arms[].weight': true,
  'arms[].visitors': true,
  'arms[].conversions': true,
  'arms[].rate.estimate': true,
  'arms[].rate.low': true,
  'arms[].rate.high': true,
  'arms[].posterior.chanceToBeBest': true,
  'arms[].posterior.expectedLoss': true,
  'comparisons[].key': true,
  'comparisons[].alwaysValid.logBayesFactor': true,
  'comparisons[].alwaysValid.p': true,
  'comparisons[].alwaysValid.adjustedP': true,
  'comparisons[].alwaysValid.lift.estimate': true,
  'comparisons[].alwaysValid.lift.low': true,
  'comparisons[].alwaysValid.lift.high': true,
  'comparisons[].alwaysValid.simultaneousLift.low': true,
  'comparisons[].alwaysValid.simultaneousLift.high': true,
  'comparisons[].alwaysValid.theta.withoutLift': true,
  'comparisons[].alwaysValid.theta.estimate': true,
  'comparisons[].alwaysValid.theta.low': true,
  'comparisons[].alwaysValid.theta.high': true,
  'comparisons[].singleLook.method': true,
  'comparisons[].singleLook.p': true,
  'comparisons[].singleLook.adjustedP': true,
  'comparisons[].pooledZ.z': true,
  'comparisons[].pooledZ.p': true,
  'comparisons[].fisher.p': true,
  'comparisons[].difference.estimate': true,
  'comparisons[].difference.low': true,
  'comparisons[].difference.high': true,
  'comparisons[].lift.estimate': true,
  'comparisons[].lift.low': true,
  'comparisons[].lift.high': true,
  'comparisons[].posterior.chanceToBeatControl': true,
  'comparisons[].posterior.chanceToLoseToControl': true,
  'comparisons[].posterior.expectedLossOfVariant': true,
  'comparisons[].posterior.expectedLossOfControl': true,
  'comparisons[].detectable.lift': true,
  'comparisons[].decision.rule': true,
  'comparisons[].decision.direction': true,
  'power.baseline': true,
  'power.power': true,
  'power.alpha': true,
  'power.sampleSize.visitors': true,
  'power.sampleSize.arms[].key': true,
  'power.sampleSize.arms[].visitors': true,
  'power.daysLeft.days': true,
  'stages.firstBroken': true,
  'stages.stages[].stage': true,
  'stages.stages[].isBroken': true,
  'stages.stages[].test.p': true,
  'stages.stages[].test.logBayesFactor': true,
  'stages.stages[].test.chiSquare': true,
  'stages.stages[].test.degreesOfFreedom': true,
  'stages.stages[].test.chiSquareP': true,
  'stages.stages[].arms[].key': true,
  'stages.stages[].arms[].visitors': true,
  'stages.stages[].arms[].expected': true,
  'stages.stages[].arms[].excess': true,
  'slices[].dimension': true,
  'slices[].broken[]': true,
  'slices[].explains': true,
  'slices[].slices[].value': true,
  'slices[].slices[].adjustedP': true,
  'slices[].slices[].isBroken': true,
  'slices[].slices[].test.p': true,
  'slices[].slices[].test.logBayesFactor': true,
  'slices[].slices[].test.chiSquare': true,
  'slices[].slices[].test.degreesOfFreedom': true,
  'slices[].slices[].test.chiSquareP': true,
  'slices[].slices[].arms[].key': true,
  'slices[].slices[].arms[].visitors': true,
  'slices[].slices[].arms[].expected': true,
  'slices[].slices[].arms[].excess': true,
  'fallbacks.arms[].key': true,
  'fallbacks.arms[].visitors': true,
  'fallbacks.arms[].fallbacks': true,
  'fallbacks.arms[].rate.estimate': true,
  'fallbacks.arms[].rate.low': true,
  'fallbacks.arms[].rate.high': true,
  'fallbacks.comparisons[].key': true,
  'fallbacks.comparisons[].p': true,
  'fallbacks.comparisons[].adjustedP': true,
  'fallbacks.comparisons[].isDifferent': true,
  'carry.sampleRatioP': true,
  'carry.comparisons[].key': true,
  'carry.comparisons[].p': true,
  'carry.comparisons[].low': true,
  'carry.comparisons[].high': true,
} satisfies Record<Names<Analysis>, true>;

const COUNTS = {
  control: true,
  alpha: true,
  kappa: true,
  expectedConversions: true,
  'arms[].key': true,
  'arms[].weight': true,
  'arms[].visitors': true,
  'arms[].conversions': true,
  'earlier[].arms[].key': true,
  'earlier[].arms[].weight': true,
  'earlier[].arms[].visitors': true,
  'earlier[].arms[].conversions': true,
  'plan.kind': true,
  'plan.plannedVisitors': true,
  'plan.atPlannedSize[].arms[].key': true,
  'plan.atPlannedSize[].arms[].weight': true,
  'plan.atPlannedSize[].arms[].visitors': true,
  'plan.atPlannedSize[].arms[].conversions': true,
  'previous.sampleRatioP': true,
  'previous.comparisons[].key': true,
  'previous.comparisons[].p': true,
  'previous.comparisons[].low': true,
  'previous.comparisons[].high': true,
  'power.minimumLift': true,
  'power.baseline': true,
  'power.power': true,
  'power.visitorsPerDay': true,
  'stages[].stage': true,
  'stages[].visitors.<key>': true,
  'slices.<key>[].value': true,
  'slices.<key>[].visitors.<key>': true,
  'slices.<key>[].weights.<key>': true,
  'fallbacks.<key>': true,
} satisfies Record<Names<Counts> | 'plan.kind', true>;

const REASONS = {
  'no-visitors': true,
  'no-conversions': true,
  'no-variance': true,
  'not-compared': true,
  'no-lift-fits': true,
  'cells-large-enough': true,
  'before-planned-size': true,
  'split-broken': true,
  'no-baseline': true,
  'no-minimum-lift': true,
  'no-traffic': true,
  'out-of-reach': true,
} satisfies Record<Reason, true>;

const text = readFileSync(new URL('../docs/statistics.md', import.meta.url), 'utf8');

/** The first column of the table below a heading. */
function named(heading: string): string[] {
  const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [table = ''] = section.split(/^#/m);
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);
}

describe('docs/statistics.md', () => {
  test.each([
    ['Figures', FIGURES],
    ['Counts', COUNTS],
    ['Reasons', REASONS],
  ])('%s: names all, and no other', (heading, names) => {
    expect(named(heading).toSorted()).toEqual(Object.keys(names).toSorted());
  });
});

test('an analysis holds what its type says, and nothing else', () => {
  const arms = [arm('a', 50, 10_000, 500), arm('b', 50, 10_000, 800), arm('c', 0, 2, 1)];
  const whole: Counts = {
    arms: arms.slice(0, 2),
    plan: { kind: 'hybrid', plannedVisitors: 19_000 },
    power: { minimumLift: 0.1, visitorsPerDay: 100 },
    stages: [{ stage: 'served', visitors: { a: 10_000, b: 8_000 } }],
    slices: { day: [{ value: 'Monday', visitors: { a: 10_000, b: 8_000 } }] },
    fallbacks: { a: 1, b: 2 },
  };
  const analyses = [
    analyze(whole),
    analyze({ arms: [arm('a', 50, 10, 5), arm('b', 50, 10, 0), arm('c', 50, 10, 1)] }),
    analyze({ ...whole, arms: [arm('a', 50, 10_000, 500), arm('b', 50, 8_000, 800)] }),
    analyze({
      arms: [arm('a', 50, 50_000, 2_500), arm('b', 50, 50_000, 2_000), arm('c', 50, 50_000, 2_500)],
    }),
    analyze({ ...whole, arms }),
  ];
  const there = new Set(analyses.flatMap((analysis) => namesIn(analysis, '')));
  expect([...there].filter((name) => !Object.hasOwn(FIGURES, name))).toEqual([]);
  // Lists of names are empty here or there.
  const missing = Object.keys(FIGURES).filter((name) => !there.has(name));
  expect(missing.filter((name) => !name.startsWith('verdict.otherwise.'))).toEqual([]);
});

function arm(key: string, weight: number, visitors: number, conversions: number) {
  return { key, weight, visitors, conversions };
}

function namesIn(data: unknown, prefix: string): string[] {
  if (Array.isArray(data)) return data.flatMap((each) => namesIn(each, `${prefix}[]`));
  if (typeof data !== 'object' || data === null) {
    return /(^|\.)(kind|reason)$/.test(prefix) || data === null ? [] : [prefix];
  }
  return Object.entries(data).flatMap(([name, each]) =>
    namesIn(each, prefix === '' ? name : `${prefix}.${name}`),
  );
}
