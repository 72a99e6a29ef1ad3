import { expect, test } from 'vitest';
import { createTurnQueue } from './turn-queue.ts';

/** Work that notes when it runs, and goes on until it is let go. */
function setUp(limit: number) {
  const queue = createTurnQueue(limit, () => new Error('too many'));
  const ran: string[] = [];
  const held = Promise.withResolvers<void>();
  const work = (name: string) => async () => {
    ran.push(name);
    await held.promise;
    return name;
  };
  return { queue, ran, work, letGo: () => held.resolve() };
}

test('work runs one after the other, in its order', async () => {
  const { queue, ran, work, letGo } = setUp(10);
  const all = ['a', 'b', 'c'].map((name) => queue.run(work(name)));
  await Promise.resolve();
  expect(ran).toEqual(['a']);
  letGo();
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
  expect(ran).toEqual(['a', 'b', 'c']);
});

test('what is urgent comes next, and is not turned away where other work is', async () => {
  const { queue, ran, work, letGo } = setUp(2);
  const waiting = ['a', 'b', 'c'].map((name) => queue.run(work(name)));
  await expect(queue.run(work('d'))).rejects.toThrow('too many');
  const urgent = ['kill', 'pause', 'kill too'].map((name) => queue.run(work(name), true));
  letGo();
  await Promise.all([...waiting, ...urgent]);
  expect(ran).toEqual(['a', 'kill', 'pause', 'kill too', 'b', 'c']);
});

test('work that fails holds up nobody', async () => {
  const { queue, ran, work, letGo } = setUp(10);
  const failing = queue.run(async () => {
    throw new Error('broken');
  });
  const next = queue.run(work('next'));
  letGo();
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
  expect(await queue.run(work('later'))).toBe('later');
  expect(ran).toEqual(['next', 'later']);
});
