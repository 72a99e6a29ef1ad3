import { expect, test } from 'vitest';
import { seededRandom, shuffled } from './shuffle.ts';

test('the same seed draws the same order, another seed another', () => {
  const items = Array.from({ length: 20 }, (_, index) => index);
  const order = shuffled(items, seededRandom(1));
  expect(shuffled(items, seededRandom(1))).toEqual(order);
  expect(shuffled(items, seededRandom(2))).not.toEqual(order);
  expect(order.toSorted((a, b) => a - b)).toEqual(items);
});

test('every order is about as likely', () => {
  const random = seededRandom(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6_000; i++) {
    const order = shuffled(['a', 'b', 'c'], random).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Five standard deviations of a binomial with n = 6,000 and p = 1/6 are 144.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(145);
});
