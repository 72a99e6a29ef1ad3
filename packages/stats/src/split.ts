import { sequentialP } from './always-valid.ts';
import { holm } from './holm.ts';
import type { SampleRatio } from './sample-ratio.ts';
import { chiSquareTail, sampleRatio } from './sample-ratio.ts';

/**
 * Where visitors went missing. The split as a whole tells only that they did; the same test at
 * each stage of a visit, and on slices of the visitors, tells where to look.
 */

/** A split whose p falls below this is broken. Low, since a false alarm costs the whole result. */
export const BROKEN_BELOW = 0.001;

/** Visitors by arm. */
export type Visitors = Readonly<Record<string, number>>;

/** How many of an arm there were, and how many there should have been. */
export interface ArmSplit {
  readonly key: string;
  readonly visitors: number;
  /** By the weights, of all visitors there were. */
  readonly expected: number;
  /** `visitors / expected − 1`: below 0 where visitors are missing. null where none were expected. */
  readonly excess: number | null;
}

/** Untestable with visitors in an arm that takes none, it is broken for sure. */
export type SplitTest = SampleRatio | { readonly kind: 'untestable'; readonly reason: 'no-weight' };

export interface SplitReading {
  readonly test: SplitTest;
  readonly isBroken: boolean;
  readonly arms: readonly ArmSplit[];
}

/** One stage of a visit, such as `served`: whoever got that far. */
export interface Stage {
  readonly stage: string;
  readonly visitors: Visitors;
}

interface StageReading extends SplitReading {
  readonly stage: string;
}

export interface StageReadings {
  readonly stages: readonly StageReading[];
  /** The first one that is broken: what went wrong, went wrong on the way to it. null: none is. */
  readonly firstBroken: string | null;
}

/** Visitors with one value of a dimension, such as those of one day. */
export interface Slice {
  readonly value: string;
  readonly visitors: Visitors;
  /** Where other weights held than for the whole, as they may for one revision. */
  readonly weights?: Visitors | undefined;
}

interface SliceReading extends SplitReading {
  readonly value: string;
  /** Of the split, adjusted for the number of slices (Holm). */
  readonly adjustedP: number;
}

export interface DimensionReading {
  readonly dimension: string;
  readonly slices: readonly SliceReading[];
  /** Values of the slices that are broken. */
  readonly broken: readonly string[];
  /**
   * Whether these alone are: without them the rest is split as planned. Then the fault has to do
   * with this dimension. False as well when no slice is broken.
   */
  readonly explains: boolean;
}

/** Visitors that were split by one set of weights. */
export interface SplitPart {
  readonly visitors: Visitors;
  readonly weights: Visitors;
}

/** Tests a split; of several parts, each by its own weights: their Bayes factors multiply. */
export function readSplit(parts: readonly SplitPart[]): SplitReading {
  const test = testOf(parts);
  return {
    test,
    isBroken: test.kind === 'tested' ? test.p < BROKEN_BELOW : test.reason === 'no-weight',
    arms: armsOf(parts),
  };
}

/**
 * Reads the split at each stage of a visit, in the order in which a visitor gets there. The
 * smallest p is not kept here: stages are read when the split as a whole is known to be broken.
 */
export function readStages(stages: readonly Stage[], weights: Visitors): StageReadings {
  const readings = stages.map(({ stage, visitors }) => ({
    stage,
    ...readSplit([{ visitors, weights }]),
  }));
  return {
    stages: readings,
    firstBroken: readings.find(({ isBroken }) => isBroken)?.stage ?? null,
  };
}

/** Reads the split of every slice of one dimension, such as of every day. */
export function readSlices(
  dimension: string,
  slices: readonly Slice[],
  weights: Visitors,
): DimensionReading {
  const parts = slices.map((slice) => ({
    visitors: slice.visitors,
    weights: slice.weights ?? weights,
  }));
  const splits = parts.map((part) => readSplit([part]));
  const adjusted = holm(splits.map(({ test }) => (test.kind === 'tested' ? test.p : 1)));
  const readings = slices.map(({ value }, index): SliceReading => {
    const { test, arms } = splits[index] ?? readSplit([]);
    const adjustedP = adjusted[index] ?? 1;
    const isBroken = adjustedP < BROKEN_BELOW || hasNoWeight(test);
    return { value, test, adjustedP, isBroken, arms };
  });
  const rest = parts.filter((_, index) => readings[index]?.isBroken === false);
  const broken = readings.filter(({ isBroken }) => isBroken).map(({ value }) => value);
  return {
    dimension,
    slices: readings,
    broken,
    explains: broken.length > 0 && rest.length > 0 && !readSplit(rest).isBroken,
  };
}

function hasNoWeight(test: SplitTest): boolean {
  return test.kind === 'untestable' && test.reason === 'no-weight';
}

function testOf(parts: readonly SplitPart[]): SplitTest {
  const tests = parts.map(testPart);
  const stray = tests.find(hasNoWeight);
  if (stray !== undefined) return stray;
  const tested = tests.filter((test) => test.kind === 'tested');
  const [first, ...others] = tested;
  if (first === undefined) return tests[0] ?? { kind: 'untestable', reason: 'nobody' };
  if (others.length === 0) return first;
  const all = (figure: 'logBayesFactor' | 'chiSquare' | 'degreesOfFreedom'): number =>
    tested.reduce((total, test) => total + test[figure], 0);
  const logBayesFactor = all('logBayesFactor');
  const chiSquare = all('chiSquare');
  const degreesOfFreedom = all('degreesOfFreedom');
  return {
    kind: 'tested',
    p: sequentialP(logBayesFactor),
    logBayesFactor,
    chiSquare,
    degreesOfFreedom,
    chiSquareP: chiSquareTail(chiSquare, degreesOfFreedom),
  };
}

function testPart({ visitors, weights }: SplitPart): SplitTest {
  const weighted = Object.entries(weights).filter(([, weight]) => weight > 0);
  const known = new Set(weighted.map(([key]) => key));
  if (Object.entries(visitors).some(([key, count]) => count > 0 && !known.has(key))) {
    return { kind: 'untestable', reason: 'no-weight' };
  }
  return sampleRatio(
    weighted.map(([key]) => visitors[key] ?? 0),
    weighted.map(([, weight]) => weight),
  );
}

function armsOf(parts: readonly SplitPart[]): ArmSplit[] {
  const keys = new Set(
    parts.flatMap(({ visitors, weights }) => [...Object.keys(weights), ...Object.keys(visitors)]),
  );
  return [...keys].map((key) => {
    const visitors = sum(parts.map((part) => part.visitors[key] ?? 0));
    const expected = sum(
      parts.map(({ visitors: counts, weights }) => {
        const weight = sum(Object.values(weights));
        return weight === 0 ? 0 : (sum(Object.values(counts)) * (weights[key] ?? 0)) / weight;
      }),
    );
    return { key, visitors, expected, excess: expected === 0 ? null : visitors / expected - 1 };
  });
}

/** How many of all visitors each arm was to have, over parts with weights of their own. */
export function expectedVisitors(parts: readonly SplitPart[]): Visitors {
  return Object.fromEntries(armsOf(parts).map(({ key, expected }) => [key, expected]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
