import { describe, expect, test } from 'vitest';
import type { GateReading } from '@turnout/contracts/ramp';
import { readGates } from './read-gates.ts';
import type { Counts } from './step-traffic.ts';

const GATES = { minimumRequests: 200, errorRate: 1, firstByte: 2, sampleRatio: 0.001 };
const BOUNDS = [0.01, 0.02, 0.04, 0.08];
const VARIANTS = [
  { key: 'control', upstream: 'shop', weight: 50, control: true },
  { key: 'B', upstream: 'next', weight: 50, control: false },
  { key: 'parked', upstream: 'vue', weight: 0, control: false },
];

/** @param firstByte how many took up to 10, 20, 40, 80 ms, and longer */
function counts(requests: number, more: Partial<Counts> = {}): Counts {
  return {
    requests,
    serverErrors: 0,
    newVisitors: requests,
    firstByte: [requests, 0, 0, 0, 0],
    ...more,
  };
}

function read(control: Counts | undefined, b: Counts | undefined, before = 1) {
  const counted = {
    ...(control !== undefined && { control }),
    ...(b !== undefined && { B: b }),
  };
  const traffic = { firstByteBounds: BOUNDS, counted, edges: {} };
  return readGates(traffic, VARIANTS, GATES, before);
}

function verdict(gate: GateReading['gate'], control: Counts, b: Counts): string | undefined {
  return read(control, b).readings.find((one) => one.gate === gate)?.verdict;
}

describe('gates', () => {
  test('say nothing before enough requests were seen, of either', () => {
    for (const [control, b] of [
      [undefined, undefined],
      [counts(1_000), undefined],
      [counts(199), counts(1_000)],
      [counts(1_000), counts(199, { serverErrors: 199 })],
    ]) {
      const verdicts = read(control, b).readings.map((one) => [one.gate, one.verdict]);
      expect(verdicts.slice(0, 2)).toEqual([
        ['errorRate', 'too-few'],
        ['firstByte', 'too-few'],
      ]);
    }
  });

  test('pass where a variant does as control does, and give their figures', () => {
    const control = counts(4_120, { serverErrors: 4, newVisitors: 2_000 });
    const b = counts(4_000, { serverErrors: 48, newVisitors: 2_000 });
    expect(read(control, b)).toEqual({
      readings: [
        {
          gate: 'errorRate',
          variant: 'B',
          verdict: 'pass',
          detail: '1.2 % of 4,000 answers were 5xx, control had 0.1 % of 4,120',
        },
        {
          gate: 'firstByte',
          variant: 'B',
          verdict: 'pass',
          detail:
            '0.0 % of 4,000 first bytes took more than 20 ms; 95 % of control’s 4,120 come within 10 ms',
        },
        {
          gate: 'sampleRatio',
          verdict: 'pass',
          detail: 'new visitors control 2,000, B 2,000; weights 50 / 50; p = 1.0',
        },
      ],
      sampleRatioP: 1,
    });
  });

  test.each([
    [0, 'pass'],
    // 2 % of 500 is what an allowance of one point looks like on a bad day.
    [10, 'pass'],
    [40, 'fail'],
    [500, 'fail'],
  ])('errorRate with %d of 500 answers that are 5xx, control 0: %s', (serverErrors, expected) => {
    expect(verdict('errorRate', counts(500), counts(500, { serverErrors }))).toBe(expected);
  });

  test('errorRate passes a variant that fails as much as control does', () => {
    const bad = counts(500, { serverErrors: 400 });
    expect(verdict('errorRate', bad, bad)).toBe('pass');
  });

  test.each([
    ['as fast as control', [500, 0, 0, 0, 0], 'pass'],
    ['twice as slow, and no more', [0, 500, 0, 0, 0], 'pass'],
    ['slower than that', [0, 0, 500, 0, 0], 'fail'],
    ['so slow that it falls off the scale', [0, 0, 0, 0, 500], 'fail'],
    ['slow for a few, as control may be', [480, 0, 20, 0, 0], 'pass'],
    ['slow for one in five', [400, 0, 100, 0, 0], 'fail'],
  ])('firstByte of a variant that is %s', (_what, firstByte, expected) => {
    expect(verdict('firstByte', counts(500), counts(500, { firstByte }))).toBe(expected);
  });

  test('firstByte can’t tell where control itself falls off the scale', () => {
    const slow = counts(500, { firstByte: [0, 0, 0, 0, 500] });
    expect(verdict('firstByte', slow, slow)).toBe('pass');
  });

  test('firstByte says nothing of a variant that no upstream answered', () => {
    const dead = counts(500, { serverErrors: 500, firstByte: [0, 0, 0, 0, 0] });
    expect(verdict('firstByte', counts(500), dead)).toBe('too-few');
    expect(verdict('errorRate', counts(500), dead)).toBe('fail');
  });

  test('sampleRatio fails a split that is not planned, and stays so', () => {
    const skewed = read(counts(800), counts(1_300));
    expect(skewed.readings.at(-1)).toMatchObject({ gate: 'sampleRatio', verdict: 'fail' });
    expect(skewed.sampleRatioP).toBeLessThan(0.001);
    const later = read(counts(8_000), counts(8_000), skewed.sampleRatioP);
    expect(later.readings.at(-1)).toMatchObject({ gate: 'sampleRatio', verdict: 'fail' });
    expect(later.sampleRatioP).toBe(skewed.sampleRatioP);
  });

  test('sampleRatio says nothing without new visitors', () => {
    const returning = counts(500, { newVisitors: 0 });
    expect(verdict('sampleRatio', returning, returning)).toBe('too-few');
  });
});
