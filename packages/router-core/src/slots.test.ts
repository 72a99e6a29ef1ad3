import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import assignmentCases from '../../../test/cases/assignment.json' with { type: 'json' };
import hashCases from '../../../test/cases/hashes.json' with { type: 'json' };
import {
  SLOTS,
  checkPartition,
  coverageSlot,
  drawSlot,
  layerSlot,
  rangesFromWeights,
  slotOf,
} from './slots.ts';
import type { Range } from './slots.ts';

describe('draws', () => {
  test('follow the reference digests', () => {
    expect(hashCases.rows.length).toBeGreaterThan(10);
    for (const { string, sha256 } of hashCases.rows) {
      const expected = Number(BigInt(`0x${sha256.slice(0, 16)}`) % BigInt(SLOTS));
      expect(drawSlot(string)).toBe(expected);
    }
  });

  test.each(assignmentCases.draws)('"$text" is slot $slot', ({ text, slot }) => {
    expect(drawSlot(text)).toBe(slot);
  });

  test('of variant, layer and coverage follow the case table', () => {
    for (const {
      salt,
      phase,
      id,
      slot,
      coverageSlot: taking,
      layer,
    } of assignmentCases.assignments) {
      expect(slotOf(salt, phase, id)).toBe(slot);
      expect(coverageSlot(salt, phase, id)).toBe(taking);
      expect(layer && layerSlot(layer.name, id)).toBe(layer?.slot);
    }
  });
});

/** Hundredths of a percent that add up to 100 %. */
const widths = fc
  .array(fc.integer({ min: 0, max: SLOTS }), { maxLength: 12 })
  .map((cuts) => [0, ...cuts.toSorted((a, b) => a - b), SLOTS])
  .map((cuts) => cuts.slice(1).map((cut, index) => cut - (cuts[index] ?? 0)));

describe('rangesFromWeights', () => {
  test('gives each weight its slots, in order, without gap or overlap', () => {
    fc.assert(
      fc.property(widths, (hundredths) => {
        const ranges = rangesFromWeights(hundredths.map((width) => width / 100));
        expect(ranges.map(([first, end]) => end - first)).toEqual(hundredths);
        expect(ranges.at(0)?.[0]).toBe(0);
        expect(ranges.at(-1)?.[1]).toBe(SLOTS);
        for (const [index, [first]] of ranges.slice(1).entries()) {
          expect(first).toBe(ranges[index]?.[1]);
        }
        checkPartition(ranges);
      }),
    );
  });

  test('takes sums that fractions would miss', () => {
    expect(rangesFromWeights([33.33, 33.33, 33.34])).toEqual([
      [0, 3333],
      [3333, 6666],
      [6666, 10000],
    ]);
  });

  test.each([
    [[50, 20, 20], 'weights must add up to 100, got 50 + 20 + 20 = 90'],
    [[50, 50.01], 'weights must add up to 100, got 50 + 50.01 = 100.01'],
    [[], 'weights must add up to 100, got none = 0'],
    [
      [33.333, 66.667],
      'expected a percentage from 0 to 100 with at most two decimals, got 33.333 (weight 1)',
    ],
    [
      [120, -20],
      'expected a percentage from 0 to 100 with at most two decimals, got 120 (weight 1)',
    ],
    [[100, -0.5], 'got -0.5 (weight 2)'],
    [[Number.NaN], 'got NaN'],
    [[Number.POSITIVE_INFINITY], 'got Infinity'],
  ])('refuses %j', (weights, message) => {
    expect(() => rangesFromWeights(weights)).toThrow(message);
  });
});

describe('checkPartition', () => {
  test('takes any order, split and empty ranges', () => {
    expect(() =>
      checkPartition([
        [5000, 10000],
        [300, 300],
        [0, 2000],
        [2000, 5000],
      ]),
    ).not.toThrow();
  });

  test('refuses every shift of a border', () => {
    fc.assert(
      fc.property(widths, fc.nat(), fc.boolean(), fc.integer({ min: 1, max: 50 }), (...args) => {
        const [hundredths, pick, atStart, by] = args;
        const ranges = rangesFromWeights(hundredths.map((width) => width / 100));
        const filled = ranges.filter(([first, end]) => first < end);
        const chosen = filled[pick % filled.length] ?? [0, 0];
        const [first, end] = chosen;
        const moved: Range = atStart ? [first + Math.min(by, end - first), end] : [first, end + by];
        expect(() =>
          checkPartition(filled.map((range) => (range === chosen ? moved : range))),
        ).toThrow(RangeError);
      }),
    );
  });

  test.each<[Range[], string]>([
    [
      [
        [0, 5000],
        [5001, 10000],
      ],
      'slots [5000, 5001) belong to no range',
    ],
    [
      [
        [0, 5000],
        [4999, 10000],
      ],
      'slots [4999, 5000) belong to two ranges',
    ],
    [[[0, 9999]], 'slots [9999, 10000) belong to no range'],
    [[[0, 10001]], 'ranges end at slot 10001, but there are 10000 slots'],
    [[], 'slots [0, 10000) belong to no range'],
    [
      [
        [0, 0.5],
        [0.5, 10000],
      ],
      'expected a range [first, end)',
    ],
    [[[10000, 0]], 'expected a range [first, end)'],
  ])('says what is wrong with %j', (ranges, message) => {
    expect(() => checkPartition(ranges)).toThrow(message);
  });
});
