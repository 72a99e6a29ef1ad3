import { expect, test } from 'vitest';
import { TimeLimitExceeded, withinTime } from './time-limit.ts';

test('work that ends in time keeps its result or error', async () => {
  await expect(withinTime(Promise.resolve(7), 10_000)).resolves.toBe(7);
  await expect(withinTime(Promise.reject(new Error('own')), 10_000)).rejects.toThrow('own');
});

test('work that takes too long is left behind', async () => {
  const work = Promise.withResolvers<number>();
  await expect(withinTime(work.promise, 5)).rejects.toThrow(TimeLimitExceeded);
  work.reject(new Error('late errors reach nobody'));
});
