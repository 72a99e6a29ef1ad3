import { expect, test } from 'vitest';
import { differenceWords } from './difference-words.ts';

test.each([
  [{ path: ['status'], before: 'running', after: 'paused' }, 'status: running → paused'],
  [{ path: ['variants', 'A', 'weight'], before: 20, after: 30 }, 'weight of A: 20 % → 30 %'],
  [
    { path: ['variants', 'A', 'upstream'], before: 'next', after: 'vue' },
    'upstream of A: next → vue',
  ],
  [{ path: ['coverage'], before: 100, after: 10_000 }, 'coverage: 1 % → 100 %'],
  [{ path: ['scope', 'paths', 1], after: '/plans/**' }, 'scope.paths[1]: new, "/plans/**"'],
  [{ path: ['title'], before: 'Is it better?' }, 'title: removed, was "Is it better?"'],
  [
    { path: ['variants', 'C'], after: { upstream: 'vue', weight: 10 } },
    'variant C: new, {"upstream":"vue","weight":10}',
  ],
  [{ path: ['variants'], before: ['A', 'B'], after: ['B', 'A'] }, 'order of variants: A, B → B, A'],
  [{ path: ['scope', 'hosts'], before: [], after: ['a.example'] }, 'scope.hosts: none → a.example'],
])('%j', (difference, words) => {
  expect(differenceWords([difference])).toEqual([words]);
});

test('what the API lays out by itself is told once, and the revision not at all', () => {
  expect(
    differenceWords([
      { path: ['revision'], before: 1, after: 2 },
      { path: ['variants', 'A', 'slots', 0, 1], before: 5_000, after: 3_000 },
      { path: ['variants', 'B', 'slots'], after: [[3_000, 5_000]] },
      { path: ['moves'], after: [] },
    ]),
  ).toEqual(['slots: laid out anew']);
  expect(differenceWords([])).toEqual([]);
});
