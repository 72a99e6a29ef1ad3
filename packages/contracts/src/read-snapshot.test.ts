import { describe, expect, test } from 'vitest';
import { createSnapshotReader, type ReadSnapshot } from './read-snapshot.ts';

const experiment = {
  key: 'home',
  status: 'running',
  variants: [
    { key: 'control', upstream: 'site', weight: 50, control: true },
    { key: 'A', upstream: 'site', weight: 50 },
  ],
};
const prices = { ...experiment, key: 'prices' };
const snapshot = { format: 1, revision: 7, publishedAt: 1_000, experiments: [experiment] };
const elsewhere = [experiment.variants[0], { key: 'A', upstream: 'shop', weight: 50 }];

const of = (...experiments: readonly unknown[]) => JSON.stringify({ ...snapshot, experiments });
const reader = () => createSnapshotReader(['site'], () => []);

/** Key and status of what is decided by, and what becomes of the rest. */
function outcome({ experiments, shortfalls }: ReturnType<ReadSnapshot>) {
  return {
    decides: experiments.map(({ document: { key, status } }) => `${key} ${status}`),
    shortfalls: shortfalls.map((one) => `${one.experiment} ${one.outcome}`),
  };
}

test('a snapshot is read, with the defaults of its experiments', () => {
  const { shortfalls, experiments, ...head } = reader()(JSON.stringify(snapshot), []);
  expect(head).toEqual({ revision: 7, publishedAt: 1_000 });
  expect(shortfalls).toEqual([]);
  expect(experiments[0]?.document).toMatchObject({ key: 'home', phase: 1, coverage: 10_000 });
  expect(JSON.parse(experiments[0]?.text ?? '')).toEqual(experiments[0]?.document);
});

test.each([
  ['{', [expect.stringMatching(/^expected JSON: SyntaxError/)]],
  ['null', ['expected object, got null']],
  [
    JSON.stringify({ ...snapshot, format: 2, experiments: {}, extra: 1 }),
    [
      expect.stringMatching(/^format: /),
      'experiments: expected array, got {}',
      'extra: unknown key',
    ],
  ],
])('of what is no snapshot nothing is used: %s', (text, problems) => {
  expect(() => reader()(text, [])).toThrow(
    expect.objectContaining({ name: 'SnapshotError', problems }),
  );
});

describe('an experiment that can not be used holds up no other', () => {
  const broken = { ...experiment, phase: 0, variants: elsewhere.toReversed(), extra: 1 };

  test('it is left out where it never was, with every problem', () => {
    const read = reader()(of(broken, prices, 1, { ...prices, key: undefined }), []);
    expect(outcome(read)).toEqual({
      decides: ['prices running'],
      shortfalls: ['home left-out', 'experiments[2] left-out', 'experiments[3] left-out'],
    });
    expect(read.shortfalls[0]?.problems).toEqual([
      'phase: expected an integer from 1 to 999999999, got 0',
      'extra: unknown key',
      'variants[0].upstream: no upstream "shop"; there are: site',
    ]);
  });

  test('it stays as it was, and is killed when that is published', () => {
    const read = reader();
    const before = read(of(experiment, prices), []).experiments;
    const kept = read(of(broken, prices), before);
    expect(outcome(kept).shortfalls).toEqual(['home as-before']);
    expect(kept.experiments).toEqual(before);
    const killed = read(of({ ...broken, status: 'killed' }, prices), before);
    expect(outcome(killed)).toEqual({
      decides: ['home killed', 'prices running'],
      shortfalls: ['home killed'],
    });
    expect(JSON.parse(killed.experiments[0]?.text ?? '')).toEqual({
      ...before[0]?.document,
      status: 'killed',
    });
  });

  test('what is published as it should be comes back', () => {
    const read = reader();
    const before = read(of(experiment), []).experiments;
    const kept = read(of(broken), before).experiments;
    const mended = { ...experiment, revision: 3 };
    expect(read(of(mended), kept).experiments[0]?.document.revision).toBe(3);
  });

  test('by the rules of the caller, too', () => {
    const read = createSnapshotReader(['site'], ({ experiments }) =>
      experiments.flatMap(({ key }, index) =>
        key === 'home' ? [{ path: ['experiments', index, 'scope'], message: 'not like this' }] : [],
      ),
    );
    const { shortfalls } = read(of(experiment, prices), []);
    expect(shortfalls).toEqual([
      { experiment: 'home', outcome: 'left-out', problems: ['scope: not like this'] },
    ]);
  });
});

describe('an upstream that is not here', () => {
  const missing = { ...experiment, variants: elsewhere };

  test('of a variant: control stands in, and the assignment stays', () => {
    const read = reader()(of(missing), []);
    expect(outcome(read)).toEqual({ decides: ['home running'], shortfalls: ['home fallback'] });
    expect(read.experiments[0]?.document.variants[1]?.upstream).toBe('shop');
    expect(read.shortfalls[0]?.problems).toEqual([
      'variants[1].upstream: no upstream "shop"; there are: site',
    ]);
  });

  test('of control: nothing can stand in', () => {
    const variants = [{ ...experiment.variants[0], upstream: 'shop' }, experiment.variants[1]];
    const read = reader();
    const before = read(of(experiment), []).experiments;
    expect(outcome(read(of({ ...experiment, variants }), before)).shortfalls).toEqual([
      'home as-before',
    ]);
    expect(outcome(read(of({ ...experiment, variants }), [])).shortfalls).toEqual([
      'home left-out',
    ]);
  });
});

function layer(from: number, to: number) {
  return { layer: { name: 'site', slots: [from, to] } };
}

describe('beside each other', () => {
  test('of two with one key the first counts', () => {
    const read = reader()(of(experiment, { ...experiment, status: 'killed' }), []);
    expect(outcome(read)).toEqual({ decides: ['home running'], shortfalls: ['home left-out'] });
    expect(read.shortfalls[0]?.problems).toEqual(['key: experiment "home" is there twice']);
  });

  test('of two that claim the same slots the first counts', () => {
    const all = [
      { ...experiment, ...layer(0, 5_000) },
      { ...prices, ...layer(4_000, 6_000) },
      { ...prices, key: 'other', ...layer(6_000, 10_000) },
    ];
    const read = reader()(of(...all), []);
    expect(outcome(read)).toEqual({
      decides: ['home running', 'other running'],
      shortfalls: ['prices left-out'],
    });
    expect(read.shortfalls[0]?.problems).toEqual([
      'layer.slots: experiments "home" and "prices" of layer "site" share the slots [4000, 5000); give each slots of its own',
    ]);
  });

  test('one that stays as it was gives way to those that change', () => {
    const read = reader();
    const before = read(of({ ...experiment, ...layer(0, 5_000) }), []).experiments;
    const next = of({ ...experiment, phase: 0 }, { ...prices, ...layer(0, 10_000) });
    expect(outcome(read(next, before))).toEqual({
      decides: ['prices running'],
      shortfalls: ['home left-out'],
    });
  });
});

test('what stands as it stood is not checked again, and is the same object', () => {
  const checked: (string | undefined)[] = [];
  const read = createSnapshotReader(['site'], ({ experiments }) => {
    checked.push(...experiments.map(({ key }) => key));
    return [];
  });
  const changed = { ...experiment, revision: 2 };
  const first = read(of(experiment, prices), []);
  const second = read(of(changed, prices), first.experiments);
  const third = read(of(prices), second.experiments);
  expect(checked).toEqual(['home', 'prices', 'home']);
  expect(second.experiments[1]).toBe(first.experiments[1]);
  expect(outcome(third).decides).toEqual(['prices running']);
});
