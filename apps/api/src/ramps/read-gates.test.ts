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

describe('gates that are looked at again and again', () => {
  const bounds = [0.032, 0.048, 0.064, 0.096, 0.128, 0.192, 0.256, 0.384, 0.512, 0.768];

  /**
   * Random traffic, looked at every 100 of 5,000 requests; @returns how many of 40 ramps failed a
   * gate. Control fails in 0.5 % of its answers and takes some 50 ms, as logarithms vary.
   */
  function failures(b: { errors?: number; slower?: number; share?: number }): number {
    const { errors = 0.005, slower = 1, share = 0.5 } = b;
    const random = uniform();
    const isFailed = () => {
      const counted = { control: nothing(), B: nothing() };
      let p = 1;
      for (let request = 1; request <= 5_000; request++) {
        const isB = random() < share;
        const of = isB ? counted.B : counted.control;
        of.requests++;
        of.newVisitors++;
        if (random() < (isB ? errors : 0.005)) of.serverErrors++;
        const seconds = 0.05 * Math.exp(0.7 * normal(random)) * (isB ? slower : 1);
        const bucket = bounds.findIndex((bound) => bound >= seconds);
        const place = bucket === -1 ? bounds.length : bucket;
        of.firstByte[place] = (of.firstByte[place] ?? 0) + 1;
        if (request % 100 > 0) continue;
        const traffic = { firstByteBounds: bounds, counted, edges: {} };
        const { readings, sampleRatioP } = readGates(traffic, VARIANTS, GATES, p);
        if (readings.some((one) => one.verdict === 'fail')) return true;
        p = sampleRatioP;
      }
      return false;
    };
    return Array.from({ length: 40 }, isFailed).filter(Boolean).length;
  }

  const nothing = (): Counts => counts(0, { firstByte: [0, ...bounds.map(() => 0)] });

  test.each([
    ['is like control', {}],
    ['fails by as much more as is allowed', { errors: 0.015 }],
    ['takes half as long again', { slower: 1.5 }],
  ])('never fail a variant that %s', (_what, b) => {
    expect(failures(b)).toBe(0);
  });

  test.each([
    ['fails by three points more', { errors: 0.035 }],
    ['takes three times as long', { slower: 3 }],
    ['gets 40 % of the visitors in place of 50', { share: 0.4 }],
  ])('always find one that %s', (_what, b) => {
    expect(failures(b)).toBe(40);
  });
});

/** The same numbers in [0, 1) each time, by a linear congruential generator (Numerical Recipes). */
function uniform(): () => number {
  let state = 1;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
