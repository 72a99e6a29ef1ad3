import { describe, expect, test } from 'vitest';
import { median, summarise, type Sample, type Series } from './figures.ts';

function sample(requestsPerSecond: number, cpu: number): Sample {
  return { requests: requestsPerSecond * 2, requestsPerSecond, p50: 1, p99: 9, cpu };
}

describe('median', () => {
  test.each([
    [[7], 7],
    [[9, 1, 5], 5],
    [[10, 9, 1, 2], 5.5],
    // As numbers, not as text.
    [[100, 20, 3], 20],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('of nothing is an error', () => {
    expect(() => median([])).toThrow('at least one value');
  });
});

describe('summarise', () => {
  const slow: Series = {
    contender: 'slow',
    samples: [sample(100, 80), sample(50, 100), sample(200, 60)],
  };
  const fast: Series = {
    contender: 'fast',
    samples: [sample(200, 40), sample(150, 50), sample(300, 15)],
  };

  test('takes each figure from its own middle round', () => {
    const [summary] = summarise([fast], 'slow');
    expect(summary?.median).toEqual({
      requests: 400,
      requestsPerSecond: 200,
      p50: 1,
      p99: 9,
      cpu: 40,
    });
    expect(summary?.samples).toEqual(fast.samples);
  });

  test('compares within a round, not across rounds', () => {
    const [summary, reference] = summarise([fast, slow], 'slow');
    expect(summary?.ratio).toEqual({
      requestsPerSecond: { median: 2, min: 1.5, max: 3 },
      cpu: { median: 0.5, min: 0.25, max: 0.5 },
    });
    expect(reference?.ratio?.cpu).toEqual({ median: 1, min: 1, max: 1 });
  });

  test('has no ratio without the reference', () => {
    expect(summarise([fast], 'slow')[0]).not.toHaveProperty('ratio');
  });
});
