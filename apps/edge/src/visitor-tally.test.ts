import { visitorId, type VisitorCounter, type VisitorId } from '@turnout/router-core';
import { expect, test } from 'vitest';
import { VisitorTally, utcDay } from './visitor-tally.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');

/** A counter in memory that can be out of reach, and notes each call. */
function createCounter() {
  const calls: { key: string; visitors: readonly VisitorId[] }[] = [];
  const state = { down: false };
  const counter: VisitorCounter = {
    async add(experiment, phase, variant, day, visitors) {
      if (state.down) throw new Error('out of reach');
      calls.push({ key: `${experiment}:${phase}:${variant}:${day}`, visitors });
    },
    count: async () => 0,
    countOver: async () => 0,
  };
  return { counter, calls, state };
}

const id = (number: number) =>
  visitorId(Buffer.from(number.toString(16).padStart(32, '0'), 'hex').toString('base64url'));

test('a visitor is handed over once a day for each variant', async () => {
  const { counter, calls } = createCounter();
  let now = NOON;
  const tally = new VisitorTally(counter, () => now);
  for (let i = 0; i < 5; i++) tally.saw('home', 1, 'A', id(1));
  tally.saw('home', 1, 'A', id(2));
  tally.saw('home', 2, 'B', id(1));
  await tally.flush();
  tally.saw('home', 1, 'A', id(1));
  await tally.flush();
  expect(calls).toEqual([
    { key: 'home:1:A:2026-03-01', visitors: [id(1), id(2)] },
    { key: 'home:2:B:2026-03-01', visitors: [id(1)] },
  ]);
  now = Date.parse('2026-03-02T00:00:00Z');
  tally.saw('home', 1, 'A', id(1));
  await tally.flush();
  expect(calls.at(-1)).toEqual({ key: 'home:1:A:2026-03-02', visitors: [id(1)] });
});

test('what the counter could not take is handed over when it is back, with its own day', async () => {
  const { counter, calls, state } = createCounter();
  let now = NOON;
  const tally = new VisitorTally(counter, () => now);
  state.down = true;
  tally.saw('home', 1, 'A', id(1));
  await tally.flush();
  tally.saw('home', 1, 'A', id(2));
  await tally.flush();
  now += 86_400_000;
  tally.saw('home', 1, 'A', id(3));
  state.down = false;
  await tally.flush();
  await tally.flush();
  expect(calls).toEqual([
    { key: 'home:1:A:2026-03-01', visitors: [id(1), id(2)] },
    { key: 'home:1:A:2026-03-02', visitors: [id(3)] },
  ]);
});

test('the day is that of UTC', () => {
  expect(utcDay(Date.parse('2026-03-01T23:59:59.999Z'))).toBe('2026-03-01');
  expect(utcDay(Date.parse('2026-03-02T00:00:00Z'))).toBe('2026-03-02');
});
