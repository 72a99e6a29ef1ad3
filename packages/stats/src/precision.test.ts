import { expect, test } from 'vitest';
import {
  chance,
  decimals,
  percentage,
  points,
  probability,
  signedPercentage,
} from './precision.ts';

test.each([
  [0.003, [0.0471, 0.0531], 1],
  [0.05, [0.02, 0.12], 0],
  [0.000_02, [0.0523, 0.0524], 3],
  [0.0036, [-0.0004, 0.0067], 2],
  [0.002, [0, 0.004], 1],
  // As many as there may be: it is above 0, if by nothing.
  [0.05, [1e-9, 0.1], 2],
  [0, [0, 0], 0],
])('uncertain by %d, %j has %d decimals', (uncertainty, limits, places) => {
  expect(decimals(uncertainty, limits)).toBe(places);
});

test('signs, and none for a zero', () => {
  expect(percentage(0.0471, 1)).toBe('4.7 %');
  expect(percentage(-1e-12, 2)).toBe('0.00 %');
  expect([-0.07, 0.19, 0, 1e-6].map((share) => signedPercentage(share, 0))).toEqual([
    '-7 %',
    '+19 %',
    '0 %',
    '0 %',
  ]);
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
