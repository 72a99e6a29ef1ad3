import { expect, test } from 'vitest';
import { count, duration, minute, percent, percentOfSlots } from './numbers.ts';

test.each([
  [0.3, '30 %'],
  [1 / 3, '33.33 %'],
  [0.57, '57 %'],
  [0.00004, '0 %'],
])('percent(%d) is %s', (share, text) => expect(percent(share)).toBe(text));

test('slots are hundredths of a percent', () => expect(percentOfSlots(125)).toBe('1.25 %'));

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567.4, '1,234,567'],
])('count(%d) is %s', (number, text) => expect(count(number)).toBe(text));

test('times are told to the minute, in UTC', () => {
  expect(minute('2026-11-24T14:10:59.999Z')).toBe('2026-11-24 14:10 UTC');
  expect(minute('2026-11-24T01:10:00+02:00')).toBe('2026-11-23 23:10 UTC');
  expect(minute('soon')).toBe('soon');
});

test.each([
  [0, '0s'],
  [1_500, '1500ms'],
  [3_600_000, '1h'],
  [5_400_000, '90m'],
  [172_800_000, '2d'],
])('duration(%d) is %s', (milliseconds, text) => expect(duration(milliseconds)).toBe(text));
