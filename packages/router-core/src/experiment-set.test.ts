import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { request } from '../test/request.ts';
import { NextExperimentSet, compileExperiments } from './experiment-set.ts';
import type { ExperimentSet } from './experiment-set.ts';
import { compileExperiment } from './experiment.ts';
import type { ExperimentDefinition } from './experiment.ts';
import type { PredicateDefinition } from './rules/definition.ts';

function experiment(key: string, change: Partial<ExperimentDefinition> = {}): ExperimentDefinition {
  return {
    key,
    status: 'running',
    phase: 1,
    revision: 1,
    scope: { paths: ['/**'] },
    variants: [{ key: 'control', upstream: 'site', weight: 100, control: true }],
    ...change,
  };
}

describe('a set of experiments', () => {
  test('finds those whose scope takes a request, in their order and each once', () => {
    const set = compileExperiments([
      experiment('all'),
      experiment('draft', { status: 'draft' }),
      experiment('plans', { scope: { paths: ['/plans', '/plans/**', '/*'] } }),
      experiment('germans', { scope: { paths: ['/**'], when: { country: 'DE' } } }),
      experiment('shop', { scope: { paths: ['/plans'], hosts: ['*.example', 'shop.example'] } }),
    ]);
    const keys = (...made: Parameters<typeof request>) =>
      set.inScope(request(...made)).map(({ key }) => key);
    expect(set.experiments.map(({ key }) => key)).toEqual(['all', 'plans', 'germans', 'shop']);
    expect(keys('/')).toEqual(['all']);
    expect(keys('/plans')).toEqual(['all', 'plans']);
    expect(keys('/plans', { host: 'shop.example' })).toEqual(['all', 'plans', 'shop']);
    const fromGermany = { countryHeader: 'cf-ipcountry', headers: { 'cf-ipcountry': 'de' } };
    expect(keys('/', fromGermany)).toEqual(['all', 'germans']);
  });

  test('asks the higher priority first, and nobody who is not in force', () => {
    const set = compileExperiments([
      experiment('low', { priority: -1 }),
      experiment('usual'),
      experiment('away', { status: 'archived', priority: 1_000 }),
      experiment('high', { priority: 5 }),
      experiment('as-usual', { priority: 0 }),
    ]);
    const expected = ['high', 'usual', 'as-usual', 'low'];
    expect(set.experiments.map(({ key }) => key)).toEqual(expected);
    expect(set.inScope(request('/')).map(({ key }) => key)).toEqual(expected);
  });

  test('tells whether somebody else may be in a scope', () => {
    const set = compileExperiments([
      experiment('phones', { scope: { paths: ['/plans'], when: { device: 'mobile' } } }),
      experiment('posts', { scope: { paths: ['/posts'], when: { method: 'POST' } } }),
    ]);
    const told = ['/plans', '/posts', '/'].map((target) => set.mayConcern(request(target)));
    expect(told).toEqual([true, false, false]);
    expect(set.inScope(request('/plans'))).toEqual([]);
  });

  test('takes from the previous set what has not changed', () => {
    const before = compileExperiments([experiment('a'), experiment('b'), experiment('c')]);
    const after = compileExperiments(
      [experiment('c', { coverage: 0 }), experiment('b'), experiment('d')],
      before,
    );
    expect(after.experiments.map(({ key, coverage }) => [key, coverage])).toEqual([
      ['c', 0],
      ['b', 10_000],
      ['d', 10_000],
    ]);
    expect(after.experiments[1]).toBe(before.experiments[1]);
    expect(after.inScope(request('/')).map(({ key }) => key)).toEqual(['c', 'b', 'd']);
  });

  test('is refused with the problems of all its experiments', () => {
    const definitions = [
      experiment('a', { phase: 0 }),
      experiment('b'),
      experiment('c', { scope: { paths: ['c'] } }),
    ];
    expect(() => compileExperiments(definitions)).toThrow(AggregateError);
    expect(() => compileExperiments(definitions)).toThrow(
      /^ExperimentError: Experiment "a" cannot run: phase: .*\nExperimentError: Experiment "c" cannot run: scope.paths.0: /,
    );
  });

  const segment = fc.constantFrom('a', 'b', 'ab', 'c', '');
  const globs = fc
    .array(fc.oneof(segment, fc.constantFrom('*', 'a*', '*b', '**')), { maxLength: 4 })
    .map((all) => `/${all.join('/')}`);
  const hosts = fc.array(
    fc.constantFrom('shop.example', '*.example', '*.shop.example', 'a.shop.example', '[::1]'),
    { maxLength: 2 },
  );
  const when = fc.option(
    fc.constantFrom<PredicateDefinition>(
      { method: 'GET' },
      { not: { path: '/a/**' } },
      { any: [{ host: '*.example' }, { path: { exact: '/b' } }] },
    ),
    { nil: undefined },
  );
  const scopes = fc
    .record({ paths: fc.array(globs, { minLength: 1, maxLength: 3 }), hosts, when })
    .map(({ when: predicate, ...scope }) =>
      predicate === undefined ? scope : { ...scope, when: predicate },
    );
  const requests = fc
    .record({
      path: fc.array(segment, { maxLength: 5 }).map((all) => `/${all.join('/')}`),
      host: fc.constantFrom('shop.example', 'a.shop.example', 'example', '.example', '', '[::1]'),
      method: fc.constantFrom('GET', 'POST'),
    })
    .map(({ path, ...parts }) => request(path, parts));

  test('finds what each experiment says of itself, whatever the index', () => {
    fc.assert(
      fc.property(
        fc.array(scopes, { maxLength: 12 }),
        fc.array(requests, { minLength: 1, maxLength: 8 }),
        (all, asked) => {
          const set = compileExperiments(all.map((scope, at) => experiment(`e${at}`, { scope })));
          for (const one of asked) {
            expect(set.inScope(one)).toEqual(
              set.experiments.filter((candidate) => candidate.inScope(one)),
            );
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('a set made from another one is as one made from nothing, and the other stays', () => {
    const changes = fc.array(
      fc.array(fc.tuple(fc.nat({ max: 5 }), scopes, fc.constantFrom('running', 'draft')), {
        maxLength: 6,
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(changes, fc.array(requests, { minLength: 1, maxLength: 6 }), (steps, asked) => {
        const answers = (set: ExperimentSet) =>
          asked.map((one) => [set.inScope(one).map(({ key }) => key), set.mayConcern(one)]);
        let set = compileExperiments([]);
        for (const step of steps) {
          // Some stand as they stood, some have another scope, place or status, some are gone.
          const byKey = new Map(
            step.map(([key, scope, status]) => [
              `e${key}`,
              experiment(`e${key}`, { scope, status }),
            ]),
          );
          const told = answers(set);
          const next = compileExperiments([...byKey.values()], set);
          expect(answers(next)).toEqual(answers(compileExperiments([...byKey.values()])));
          expect(answers(set)).toEqual(told);
          set = next;
        }
        // Nothing is left of what is gone.
        expect(compileExperiments([], set).index.roots).toEqual(compileExperiments([]).index.roots);
      }),
      { numRuns: 500 },
    );
  });

  test('what is put in ahead, and is not among those that are wanted, is not found', () => {
    const before = compileExperiments([experiment('a')]);
    const next = new NextExperimentSet(before);
    const [b, c] = ['b', 'c'].map((key) => compileExperiment(experiment(key)));
    if (b === undefined || c === undefined) throw new Error('Expected two');
    next.put(b);
    next.put(c);
    const found = next.finish([c, ...before.experiments]).inScope(request('/'));
    expect(found.map(({ key }) => key)).toEqual(['c', 'a']);
    expect(before.inScope(request('/')).map(({ key }) => key)).toEqual(['a']);
  });
});
