import { describe, expect, test } from 'vitest';
import { SnapshotError, createSnapshotReader, readSnapshot } from './read-snapshot.ts';

const experiment = {
  key: 'home',
  status: 'running',
  variants: [
    { key: 'control', upstream: 'site', weight: 50, control: true },
    { key: 'A', upstream: 'site', weight: 50 },
  ],
};
const snapshot = { format: 1, revision: 7, publishedAt: 1_000, experiments: [experiment] };

const refuseScope = () => [{ path: ['experiments', 0, 'scope'], message: 'not like this' }];

function problems(value: unknown, upstreams = ['site']): readonly string[] {
  try {
    readSnapshot(typeof value === 'string' ? value : JSON.stringify(value), upstreams);
  } catch (error) {
    if (error instanceof SnapshotError) return error.problems;
    throw error;
  }
  return [];
}

test('a snapshot is read, with the defaults of its experiments', () => {
  const read = readSnapshot(JSON.stringify(snapshot), ['site']);
  expect(read).toMatchObject({ revision: 7, publishedAt: 1_000 });
  expect(read.experiments[0]).toMatchObject({ key: 'home', phase: 1, coverage: 10_000 });
});

describe('what is wrong is told, all at once', () => {
  test('of the snapshot', () => {
    expect(problems('{')).toEqual([expect.stringMatching(/^expected JSON: SyntaxError/)]);
    expect(problems('null')).toEqual(['expected object, got null']);
    expect(problems({ ...snapshot, format: 2, extra: 1 })).toEqual([
      expect.stringMatching(/^format: /),
      'extra: unknown key',
    ]);
  });
  test('of its experiments', () => {
    const layer = { name: 'site', slots: [0, 5_000] };
    const wrong = [
      { ...experiment, layer },
      { ...experiment, key: 'prices', layer, phase: 0 },
      experiment,
    ];
    expect(problems({ ...snapshot, experiments: wrong }, ['shop']).toSorted()).toEqual([
      'experiments[0].variants[0].upstream: no upstream "site"; there are: shop',
      'experiments[0].variants[1].upstream: no upstream "site"; there are: shop',
      'experiments[1].layer.slots: experiments "home" and "prices" of layer "site" share the slots [0, 5000); give each slots of its own',
      'experiments[1].phase: expected an integer from 1 to 999999999, got 0',
      'experiments[1].variants[0].upstream: no upstream "site"; there are: shop',
      'experiments[1].variants[1].upstream: no upstream "site"; there are: shop',
      'experiments[2].key: experiment "home" is there twice',
      'experiments[2].variants[0].upstream: no upstream "site"; there are: shop',
      'experiments[2].variants[1].upstream: no upstream "site"; there are: shop',
    ]);
  });
  test('by the rules of the caller', () => {
    expect(() => readSnapshot(JSON.stringify(snapshot), ['site'], refuseScope)).toThrow(
      "the snapshot can't be used:\n  experiments[0].scope: not like this",
    );
  });
});

const of = (...experiments: readonly unknown[]) => JSON.stringify({ ...snapshot, experiments });

describe('one after the other', () => {
  const prices = { ...experiment, key: 'prices' };

  test('only what is new is checked', () => {
    const checked: (string | undefined)[][] = [];
    const read = createSnapshotReader(['site'], (document) => {
      checked.push(document.experiments.map(({ key }) => key));
      return [];
    });
    const changed = { ...experiment, revision: 2 };
    const texts = [of(experiment), of(experiment, prices), of(changed, prices), of(prices)];
    const keys = texts.map((text) => read(text).experiments.map(({ key }) => key));
    expect(keys).toEqual([['home'], ['home', 'prices'], ['home', 'prices'], ['prices']]);
    expect(checked).toEqual([['home'], ['prices'], ['home'], []]);
    expect(read(of(changed, prices))).toEqual(readSnapshot(of(changed, prices), ['site']));
  });

  test('what is wrong is told as if all were new, and changes nothing', () => {
    const read = createSnapshotReader(['site'], () => []);
    const layer = { name: 'site', slots: [0, 5_000] };
    read(of({ ...experiment, layer }));
    for (const wrong of [
      of({ ...experiment, layer }, { ...prices, layer }),
      of({ ...experiment, layer }, experiment),
      of({ ...experiment, layer }, { ...prices, phase: 0 }),
      of(1),
      JSON.stringify({ ...snapshot, experiments: {} }),
      '{',
    ]) {
      const told = problems(wrong);
      expect(told.length).toBeGreaterThan(0);
      expect(() => read(wrong)).toThrow(new SnapshotError(told));
    }
    expect(read(of({ ...experiment, layer })).experiments).toHaveLength(1);
  });
});
