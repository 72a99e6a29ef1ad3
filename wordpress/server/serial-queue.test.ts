import { expect, test } from 'vitest';
import { QueueFullError, SerialQueue } from './serial-queue.ts';

test('runs one task at a time, in order, whatever their outcome', async () => {
  const queue = new SerialQueue(10);
  const events: string[] = [];
  const task = (name: string, fails: boolean) =>
    queue.run(async () => {
      events.push(`${name} starts`);
      await new Promise(setImmediate);
      events.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const outcomes = await Promise.allSettled([task('a', false), task('b', true), task('c', false)]);
  expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('refuses what is more than its limit, and takes tasks again once there is room', async () => {
  const queue = new SerialQueue(2);
  const gate = Promise.withResolvers<number>();
  const first = queue.run(() => gate.promise);
  const second = queue.run(() => Promise.resolve(2));
  await expect(queue.run(() => Promise.resolve(3))).rejects.toThrow(QueueFullError);
  gate.resolve(1);
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  expect(await queue.run(() => Promise.resolve(4))).toBe(4);
});
