import { expect, test } from 'vitest';
import type { ExperimentDefinition } from './experiment.ts';
import { findShadows } from './shadow.ts';

function experiment(
  key: string,
  path: string,
  more: Partial<ExperimentDefinition> = {},
): ExperimentDefinition {
  return {
    key,
    status: 'running',
    phase: 1,
    revision: 1,
    scope: { paths: [path] },
    variants: [{ key: 'control', upstream: 'site', weight: 100, control: true }],
    ...more,
  };
}

const pairs = (...all: Parameters<typeof findShadows>) =>
  findShadows(...all).map(({ experiment: shadowed, by }) => `${shadowed.key} by ${by.key}`);

test('who comes first takes what both are about; a higher priority comes first', () => {
  const wide = experiment('wide', '/**');
  const narrow = experiment('narrow', '/plans/**');
  expect(pairs([wide, narrow])).toEqual(['narrow by wide']);
  expect(pairs([narrow, wide])).toEqual([]);
  expect(pairs([wide, { ...narrow, priority: 1 }])).toEqual([]);
  expect(pairs([narrow, { ...wide, priority: 1 }])).toEqual(['narrow by wide']);
});

test('what is over or put away has nothing to lose, and only what is in force takes', () => {
  const wide = experiment('wide', '/**');
  for (const status of ['killed', 'concluded', 'archived'] as const) {
    expect(pairs([wide, experiment('later', '/plans', { status, winner: 'control' })])).toEqual([]);
  }
  for (const status of ['draft', 'archived'] as const) {
    expect(pairs([{ ...wide, status }, experiment('later', '/plans')])).toEqual([]);
  }
  expect(pairs([{ ...wide, status: 'killed' }, experiment('later', '/plans')])).toEqual([
    'later by wide',
  ]);
});

test('tells only what has to do with those that are asked about', () => {
  const all = [
    experiment('a', '/a/**'),
    experiment('a2', '/a/x'),
    experiment('b', '/b/**'),
    experiment('b2', '/b/x'),
  ];
  expect(pairs(all)).toEqual(['a2 by a', 'b2 by b']);
  expect(pairs(all, (key) => key === 'a2')).toEqual(['a2 by a']);
  expect(pairs(all, (key) => key === 'b')).toEqual(['b2 by b']);
  expect(pairs(all, () => false)).toEqual([]);
});
