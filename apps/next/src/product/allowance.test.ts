import { expect, test } from 'vitest';
import { formatCommitment, formatData, formatSpeed } from './allowance.ts';

test('data without a limit is said so, else in GB', () => {
  expect(formatData(null)).toBe('Unlimited');
  expect(formatData(20)).toBe('20 GB');
  expect(formatData(0)).toBe('0 GB');
});

test('speed moves to gigabits at 1000 Mbit/s', () => {
  expect(formatSpeed(999)).toBe('999 Mbit/s');
  expect(formatSpeed(1000)).toBe('1 Gbit/s');
  expect(formatSpeed(2500)).toBe('2.5 Gbit/s');
});

test('a term names its months', () => {
  expect(formatCommitment(0)).toBe('None');
  expect(formatCommitment(1)).toBe('1 month');
  expect(formatCommitment(12)).toBe('12 months');
});
