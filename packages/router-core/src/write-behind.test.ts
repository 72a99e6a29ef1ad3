import { expect, test } from 'vitest';
import { createVisitorCookie } from './visitor-cookie.ts';
import { createWriteBehind } from './write-behind.ts';
import type { PendingWrite } from './write-behind.ts';

const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });

function writeOf(revision: number): PendingWrite {
  return {
    visitor: cookie.mint(),
    experiment: 'home',
    proposal: { variant: 'A', phase: 1, revision },
    variants: ['A'],
    departures: [],
  };
}

test.each([
  [0, []],
  [1, [0]],
  [3, [0, 1, 2]],
  [9, [0, 3, 5, 8]],
  [1_000, [0, 333, 666, 999]],
])('a sample of %i waiting writes goes from the oldest to the newest', (count, places) => {
  const queue = createWriteBehind(1_000);
  const writes = Array.from({ length: count }, (_, n) => writeOf(n + 1));
  for (const write of writes) queue.push(write);
  expect(queue.sample(4)).toEqual(places.map((place) => writes[place]));
  expect(queue.length).toBe(count);
});

test('a write that is put back comes last, unless a newer one took its place', () => {
  const queue = createWriteBehind(10);
  const [first, second] = [writeOf(1), writeOf(2)];
  queue.push(first);
  queue.push(second);
  const [taken] = queue.take(1);
  expect(taken).toBe(first);
  queue.putBack(first);
  expect(queue.take(10)).toEqual([second, first]);
  const newer = { ...first, proposal: { ...first.proposal, variant: 'B' } };
  queue.push(newer);
  queue.putBack(first);
  expect(queue.take(10)).toEqual([newer]);
});
