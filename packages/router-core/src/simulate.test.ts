import { describe, expect, test } from 'vitest';
import type { ExperimentDefinition } from './experiment.ts';
import { createRequestTraits, type RequestTraits } from './rules/request-traits.ts';
import { drawVisitors, simulate } from './simulate.ts';

const home: ExperimentDefinition = {
  key: 'home',
  status: 'running',
  phase: 1,
  revision: 1,
  scope: { paths: ['/'] },
  variants: [
    { key: 'control', upstream: 'wordpress', weight: 20, control: true },
    { key: 'A', upstream: 'next', weight: 30 },
    { key: 'B', upstream: 'vue', weight: 50 },
  ],
};
const wanted: ExperimentDefinition = {
  ...home,
  variants: [
    { key: 'control', upstream: 'wordpress', weight: 30, control: true },
    { key: 'A', upstream: 'next', weight: 30 },
    { key: 'B', upstream: 'vue', weight: 40 },
  ],
};

const POPULATION = 20_000;
const population = [...drawVisitors(POPULATION, 'simulate')].map((visitor) => ({ visitor }));
/** The share of the population; a standard error is at most 0.0036, and the seed is fixed. */
const share = (visitors: number | undefined) => (visitors ?? 0) / POPULATION;

function traits(path: string, cookie?: string): RequestTraits {
  return createRequestTraits({
    method: 'GET',
    target: path,
    host: 'shop.example',
    header: (name) => (name === 'cookie' ? cookie : undefined),
  });
}

test('visitors are the same for the same seed, and other ones for another', () => {
  const ten = [...drawVisitors(10, 'x')];
  expect([...drawVisitors(10, 'x')]).toEqual(ten);
  expect(new Set([...ten, ...drawVisitors(10, 'y')]).size).toBe(20);
});

describe('a change of weights', () => {
  test('for new visitors moves nobody', () => {
    const result = simulate(
      { before: [home], after: [wanted], meaning: 'new-visitors' },
      population,
    );
    expect(result.visitors).toBe(POPULATION);
    const [only] = result.experiments;
    expect(only).toMatchObject({ experiment: 'home', visitors: POPULATION, moved: 0 });
    expect(only?.after).toEqual(only?.before);
  });

  test('that moves the fewest moves a tenth, from B to control', () => {
    const result = simulate(
      { before: [home], after: [wanted], meaning: 'move-fewest' },
      population,
    );
    const [only] = result.experiments;
    expect(share(only?.before['B'])).toBeCloseTo(0.5, 1);
    expect(share(only?.after['B'])).toBeCloseTo(0.4, 1);
    expect(Object.keys(only?.transitions['B'] ?? {}).toSorted()).toEqual(['B', 'control']);
    expect(Object.keys(only?.transitions['A'] ?? {})).toEqual(['A']);
    expect(only?.moved).toBe(only?.transitions['B']?.['control']);
    expect(share(only?.moved)).toBeCloseTo(0.1, 2);
  });

  test('in a new phase draws all anew', () => {
    const [only] = simulate(
      { before: [home], after: [wanted], meaning: 'new-phase' },
      population,
    ).experiments;
    // Stays: 0.2 * 0.3 + 0.3 * 0.3 + 0.5 * 0.4 of them.
    expect(share(only?.moved)).toBeCloseTo(1 - 0.35, 1);
  });
});

test('what is the very same as before is in no new phase', () => {
  const other = { ...home, key: 'other' };
  const { experiments } = simulate(
    { before: [home, other], after: [wanted, other], meaning: 'new-phase' },
    population.slice(0, 500),
  );
  expect(experiments.map(({ experiment, moved }) => [experiment, moved > 0])).toEqual([
    ['home', true],
    ['other', false],
  ]);
});

test('a variant that is gone, and coverage that shrinks', () => {
  const without: ExperimentDefinition = {
    ...home,
    coverage: 5000,
    variants: [
      { key: 'control', upstream: 'wordpress', weight: 50, control: true },
      { key: 'B', upstream: 'vue', weight: 50 },
    ],
  };
  const [only] = simulate(
    { before: [home], after: [without], meaning: 'new-visitors' },
    population,
  ).experiments;
  expect(only?.after).not.toHaveProperty('A');
  expect(share(only?.after['holdout'])).toBeCloseTo(0.5, 1);
  expect(Object.keys(only?.transitions['A'] ?? {}).toSorted()).toEqual(['control', 'holdout']);
  expect(Object.keys(only?.transitions['B'] ?? {}).toSorted()).toEqual(['B', 'holdout']);
});

test('layers: who is in one experiment is in no other', () => {
  const left: ExperimentDefinition = { ...home, layer: { name: 'site', slots: [0, 5000] } };
  const right: ExperimentDefinition = {
    ...home,
    key: 'price',
    layer: { name: 'site', slots: [5000, 10_000] },
  };
  const narrow: ExperimentDefinition = { ...left, layer: { name: 'site', slots: [0, 2500] } };
  const wide: ExperimentDefinition = { ...right, layer: { name: 'site', slots: [2500, 10_000] } };
  const { experiments } = simulate(
    { before: [left, right], after: [narrow, wide], meaning: 'move-fewest' },
    population,
  );
  const [first, second] = experiments;
  // A quarter of all leave the one, and come into the other.
  expect(first?.after['outside']).toBe(first?.moved);
  expect(share(first?.moved)).toBeCloseTo(0.25, 1);
  expect(second?.before['outside']).toBe(first?.moved);
  expect(second?.moved).toBe(0);
});

describe('over requests', () => {
  const [one, two, three] = [...drawVisitors(3, 'requests')];
  if (one === undefined || two === undefined || three === undefined) throw new Error('three');
  const log = [
    { visitor: one, request: traits('/') },
    { visitor: one, request: traits('/plans') },
    { visitor: one, request: traits('/') },
    { visitor: two, request: traits('/plans') },
    { visitor: three, request: traits('/', 'wordpress_logged_in_1=x') },
  ];

  const places = (before: ExperimentDefinition[], after: ExperimentDefinition[]) =>
    simulate({ before, after, meaning: 'new-visitors' }, log).experiments[0]?.after;

  test('scope and audience count, and a visitor counts once', () => {
    const noEditors: ExperimentDefinition = {
      ...home,
      audience: { not: { cookie: { name: 'wordpress_logged_in_*' } } },
    };
    const result = simulate({ before: [home], after: [noEditors], meaning: 'new-visitors' }, log);
    expect(result.visitors).toBe(3);
    const [only] = result.experiments;
    expect(only?.visitors).toBe(2);
    expect(only?.after['outside']).toBe(1);
    expect(only?.moved).toBe(1);
  });

  test('the first experiment that matches has the request', () => {
    const wide: ExperimentDefinition = { ...home, key: 'wide', scope: { paths: ['/**'] } };
    const { experiments } = simulate(
      { before: [home, wide], after: [wide, home], meaning: 'new-visitors' },
      log,
    );
    expect(experiments.map(({ experiment, visitors }) => [experiment, visitors])).toEqual([
      ['wide', 3],
      ['home', 2],
    ]);
    expect(experiments[1]?.after).toEqual({ outside: 2 });
  });

  test('status shows: killed, concluded, paused, draft, gone and new', () => {
    expect(places([home], [{ ...home, status: 'killed' }])).toEqual({ killed: 2 });
    expect(places([home], [{ ...home, status: 'concluded', winner: 'B' }])).toEqual({
      concluded: 2,
    });
    expect(places([home], [{ ...home, status: 'draft' }])).toEqual({ outside: 2 });
    expect(places([home], [])).toEqual({ outside: 2 });
    expect(places([], [{ ...home, status: 'paused' }])).toEqual({ paused: 2 });
    const paused = places([home], [{ ...home, status: 'paused' }]);
    expect(paused).toEqual(places([], [home]));
  });
});
