import { expect, test } from 'vitest';
import { chance, percentages, points, probability, signedPercentages } from './precision.ts';

test.each([
  [[0.049_99, 0.0471, 0.0531], 0.003, ['5.0 %', '4.7 %', '5.3 %']],
  [[0.05, 0.02, 0.12], 0.05, ['5 %', '2 %', '12 %']],
  [[0.052_345_6], 0.000_02, ['5.235 %']],
  // It is above 0: this has to be seen.
  [[0.0004, 0.0076], 0.0036, ['0.04 %', '0.76 %']],
  [[0, 0.004], 0.002, ['0.0 %', '0.4 %']],
  [[-1e-12], 0.01, ['0.00 %']],
  [[], 0, []],
])('%j, uncertain by %d', (shares, uncertainty, words) => {
  expect(percentages(shares, uncertainty)).toEqual(words);
});

test('signs', () => {
  expect(signedPercentages([-0.07, 0.19, 0], 0.13)).toEqual(['-7 %', '+19 %', '0 %']);
});

test.each([
  [1, '1'],
  [0.999, '1'],
  [0.1416, '0.14'],
  [0.0305, '0.03'],
  [0.000_12, '0.00012'],
  [1e-300, '< 0.0001'],
  [0, '< 0.0001'],
])('p of %d', (p, words) => {
  expect(probability(p)).toBe(words);
});

test.each([
  [0, '< 0.1 %'],
  [0.0042, '0.4 %'],
  [0.93, '93 %'],
  [0.9959, '99.6 %'],
  [1, '> 99.9 %'],
])('chance of %d', (share, words) => {
  expect(chance(share)).toBe(words);
});

test.each([
  [0, '0 points'],
  [1e-13, '< 0.001 points'],
  [0.004_28, '0.43 points'],
])('loss of %d', (loss, words) => {
  expect(points(loss)).toBe(words);
});
