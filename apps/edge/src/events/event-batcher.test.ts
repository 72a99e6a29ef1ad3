import type { EventLog } from '@turnout/event-log';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventBatcher } from './event-batcher.ts';

/** A log in memory, whose appends end when the test says so. */
function createLog() {
  const batches: (readonly string[])[] = [];
  const state: { fails: boolean; gate: Promise<void> | undefined; under: number } = {
    fails: false,
    gate: undefined,
    under: 0,
  };
  const log: EventLog = {
    async append(events) {
      state.under += 1;
      expect(state.under).toBe(1);
      await state.gate;
      state.under -= 1;
      if (state.fails) throw new Error('full');
      batches.push(events);
    },
    lag: async () => 0,
    close: async () => {},
  };
  return { log, batches, state };
}

test('what nobody waits for is gathered, what somebody waits for goes at once with all before it', async () => {
  const { log, batches } = createLog();
  const batcher = new EventBatcher(log);
  batcher.add('a', () => {});
  batcher.add('b', () => {});
  await new Promise((resolve) => setImmediate(resolve));
  expect(batches).toEqual([]);
  await batcher.append(['c', 'd']);
  expect(batches).toEqual([['a', 'b', 'c', 'd']]);
  batcher.add('e', () => {});
  await expect.poll(() => batches).toEqual([['a', 'b', 'c', 'd'], ['e']]);
});

function texts(length: number): string[] {
  return Array.from({ length }, (_, index) => String(index));
}

test('one append at a time, in order, whatever comes when', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(600), { maxLength: 12 }), async (sizes) => {
      const { log, batches } = createLog();
      const batcher = new EventBatcher(log);
      const sent: string[] = [];
      const answers = sizes.map(async (size) => {
        const own = texts(size).map((text) => `${sent.length}.${text}`);
        sent.push(...own);
        if (size === 1) batcher.add(own[0] ?? '', () => {});
        else await batcher.append(own);
      });
      await batcher.flush();
      await Promise.all(answers);
      expect(batches.flat()).toEqual(sent);
    }),
    { numRuns: 30 },
  );
});

test('a batch is bounded, and what was given together stays together', async () => {
  const { log, batches } = createLog();
  const batcher = new EventBatcher(log);
  await Promise.all([
    batcher.append(texts(300)),
    batcher.append(texts(300)),
    batcher.append(texts(50)),
  ]);
  expect(batches.map(({ length }) => length)).toEqual([300, 350]);
});

test('whoever waits is told of a failure, and the next batch has its own luck', async () => {
  const { log, state, batches } = createLog();
  const batcher = new EventBatcher(log);
  state.fails = true;
  const lost: unknown[] = [];
  batcher.add('a', (error) => lost.push(error));
  await expect(batcher.append(['b'])).rejects.toThrow('full');
  expect(lost).toEqual([new Error('full')]);
  state.fails = false;
  batcher.add('c', (error) => lost.push(error));
  await batcher.append(['d']);
  expect(lost).toEqual([new Error('full'), undefined]);
  expect(batches).toEqual([['c', 'd']]);
});

test('more than memory is to hold is refused at once, while an append takes its time', async () => {
  const { log, state, batches } = createLog();
  const batcher = new EventBatcher(log);
  const { promise, resolve: open } = Promise.withResolvers<void>();
  state.gate = promise;
  const first = batcher.append(['first']);
  await expect.poll(() => state.under).toBe(1);
  const lost: unknown[] = [];
  for (let i = 0; i < 50_001; i++) batcher.add('x', (error) => error && lost.push(error));
  expect(lost).toHaveLength(1);
  await expect(batcher.append(['y'])).rejects.toThrow('More than 50000 events');
  open();
  await first;
  await batcher.flush();
  expect(batches.flat()).toHaveLength(50_001);
});
