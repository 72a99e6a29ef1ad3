import { describe, expect, test } from 'vitest';
import { request } from '../test/request.ts';
import { ExperimentError, compileExperiment } from './experiment.ts';
import type { ExperimentDefinition } from './experiment.ts';
import type { PredicateDefinition } from './rules/definition.ts';
import { SLOTS } from './slots.ts';

const definition: ExperimentDefinition = {
  key: 'home-redesign',
  status: 'running',
  phase: 1,
  revision: 1,
  scope: { paths: ['/', '/plans/**'] },
  variants: [
    { key: 'control', upstream: 'wordpress', weight: 50, control: true },
    { key: 'A', upstream: 'next', weight: 20 },
    { key: 'B', upstream: 'vue', weight: 30 },
  ],
};

function countSlots(change: Partial<ExperimentDefinition>): Record<string, number> {
  const experiment = compileExperiment({ ...definition, ...change });
  const counts: Record<string, number> = {};
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const { key } = experiment.variantAt(slot);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function problemsOf(change: Partial<ExperimentDefinition>): readonly string[] {
  try {
    compileExperiment({ ...definition, ...change });
    return [];
  } catch (error) {
    if (error instanceof ExperimentError) {
      return error.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
    }
    throw error;
  }
}

describe('slots', () => {
  test('are shared out exactly as weighted', () => {
    expect(countSlots({})).toEqual({ control: 5000, A: 2000, B: 3000 });
  });

  test('can be given, so that a change of weights moves the fewest', () => {
    const [control, a, b] = definition.variants;
    const variants = [
      { ...control, key: 'control', upstream: 'w', weight: 40, slots: [[0, 4000]] as const },
      {
        ...a,
        key: 'A',
        upstream: 'n',
        weight: 25,
        slots: [
          [5000, 7000],
          [4000, 4500],
        ] as const,
      },
      {
        ...b,
        key: 'B',
        upstream: 'v',
        weight: 35,
        slots: [
          [7000, 10000],
          [4500, 5000],
        ] as const,
      },
    ];
    expect(countSlots({ variants })).toEqual({ control: 4000, A: 2500, B: 3500 });
    const experiment = compileExperiment({ ...definition, variants });
    expect(
      [3999, 4000, 4499, 4500, 4999, 5000, 6999, 7000].map(
        (slot) => experiment.variantAt(slot).key,
      ),
    ).toEqual(['control', 'A', 'A', 'B', 'B', 'A', 'A', 'B']);
  });
});

describe('moves', () => {
  test('say who does not stand, by slot', () => {
    const experiment = compileExperiment({
      ...definition,
      moves: [
        { from: 'control', to: 'B', revision: 3, slots: [[7000, 7100]] },
        {
          from: 'A',
          to: 'B',
          revision: 5,
          slots: [
            [7050, 7200],
            [9999, 10_000],
          ],
        },
      ],
    });
    expect([...experiment.movedFrom]).toEqual(['control', 'A']);
    expect(experiment.departures(6999)).toEqual([]);
    expect(experiment.departures(7000)).toEqual([{ variant: 'control', before: 3 }]);
    expect(experiment.departures(7050)).toEqual([
      { variant: 'control', before: 3 },
      { variant: 'A', before: 5 },
    ]);
    expect(experiment.departures(7199)).toEqual([{ variant: 'A', before: 5 }]);
    expect(experiment.departures(7200)).toEqual([]);
    expect(experiment.departures(9999)).toEqual([{ variant: 'A', before: 5 }]);
  });

  test('are none where nothing moved', () => {
    const experiment = compileExperiment(definition);
    expect(experiment.movedFrom.size).toBe(0);
    expect(experiment.departures(0)).toEqual([]);
  });
});

describe('scope and audience', () => {
  test('take paths and hosts', () => {
    const experiment = compileExperiment({
      ...definition,
      scope: { paths: ['/', '/plans/**'], hosts: ['localhost'] },
    });
    expect(experiment.inScope(request('/plans/basic'))).toBe(true);
    expect(experiment.inScope(request('/'))).toBe(true);
    expect(experiment.inScope(request('/sign-up'))).toBe(false);
    expect(experiment.inScope(request('/plans/basic', { host: 'other.example' }))).toBe(false);
  });

  const editor: PredicateDefinition = { cookie: { name: 'wordpress_logged_in_*' } };
  const beta: PredicateDefinition = { cookie: { name: 'beta' } };
  test.each<[PredicateDefinition, string | undefined, boolean]>([
    [editor, undefined, false],
    [editor, 'a=1; wordpress_logged_in_5f=admin', true],
    [editor, 'wordpress_logged_in_=x', true],
    [editor, 'a=wordpress_logged_in_5f', false],
    [editor, 'xwordpress_logged_in_5f=1', false],
    [beta, 'beta=', true],
    [beta, 'a=1;beta;b=2', true],
    [beta, 'alphabeta=1; betas=2', false],
    [{ not: editor }, undefined, true],
    [{ not: editor }, 'wordpress_logged_in_5f=admin', false],
    [{ all: [beta, { not: editor }] }, 'beta=1', true],
    [{ all: [beta, { not: editor }] }, 'beta=1; wordpress_logged_in_1=2', false],
    [{ any: [beta, editor] }, 'wordpress_logged_in_1=2', true],
    [{ any: [beta, editor] }, 'c=2', false],
    [{ cookie: { name: '*_session' } }, 'shop_session=1', true],
  ])('%j for "%s" is %s', (audience, cookie, taken) => {
    const experiment = compileExperiment({ ...definition, audience });
    const headers = cookie === undefined ? {} : { cookie };
    expect(experiment.admits(request('/plans/basic', { headers }))).toBe(taken);
  });
});

describe('rules', () => {
  test('a scope takes of its pages what its predicate takes', () => {
    const experiment = compileExperiment({
      ...definition,
      scope: { paths: ['/plans/**'], when: { query: { name: 'beta' } } },
    });
    expect(experiment.inScope(request('/plans/basic?beta'))).toBe(true);
    expect(experiment.inScope(request('/plans/basic'))).toBe(false);
    expect(experiment.inScope(request('/?beta'))).toBe(false);
  });

  test('the first that matches forces its variant', () => {
    const experiment = compileExperiment({
      ...definition,
      forced: [
        { when: { header: { name: 'x-qa', value: 'b' } }, variant: 'B' },
        { when: { header: { name: 'x-qa' } }, variant: 'A' },
        { when: { bot: true }, variant: 'control' },
      ],
    });
    const forced = (headers: Readonly<Record<string, string>>) =>
      experiment.forcedVariant(request('/', { headers }))?.key;
    expect(forced({ 'x-qa': 'b', 'user-agent': 'curl/8' })).toBe('B');
    expect(forced({ 'x-qa': 'c' })).toBe('A');
    expect(forced({ 'user-agent': 'curl/8' })).toBe('control');
    expect(forced({})).toBeUndefined();
  });

  test('are told each by its place', () => {
    expect(
      problemsOf({
        scope: { paths: ['/'], when: { all: [{ path: { regex: '(' } }] } },
        audience: { not: { host: ['shop.example', '*'] } },
        forced: [
          { when: { bot: true }, variant: 'control' },
          { when: { all: [{ path: 'plans' }, { cookie: { name: '' } }] }, variant: 'C' },
        ],
      }).map((problem) => problem.replace(/: .*/, '')),
    ).toEqual([
      'scope.when.all.0.path.regex',
      'audience.not.host.1',
      'forced.1.when.all.0.path',
      'forced.1.when.all.1.cookie.name',
      'forced.1.variant',
    ]);
  });
});

describe('a definition that cannot run', () => {
  const [control, ...others] = definition.variants;
  test.each<[string, Partial<ExperimentDefinition>, string]>([
    [
      'key',
      { key: 'Home' },
      'key: expected lower-case letters, digits and dashes, no dash first (at most 64), got "Home"',
    ],
    ['phase', { phase: 0 }, 'phase: expected an integer from 1 to 999999999, got 0'],
    ['revision', { revision: 1.5 }, 'revision: expected an integer from 1 to 999999999, got 1.5'],
    [
      'salt',
      { salt: 'a:b' },
      'salt: expected lower-case letters, digits and dashes, no dash first (at most 64), got "a:b"',
    ],
    [
      'reserved salt',
      { salt: 'layer' },
      'salt: "layer" names a draw of its own, choose another salt',
    ],
    [
      'reserved key',
      { key: 'coverage' },
      'key: "coverage" names a draw of its own, choose another salt',
    ],
    [
      'coverage',
      { coverage: 10_001 },
      'coverage: expected an integer from 0 to 10000, in slots of 0.01 %: 50 % is 5000, got 10001',
    ],
    [
      'layer',
      { layer: { name: 'site', slots: [5000, 5000] } },
      'layer.slots: expected [from, to) with 0 <= from < to <= 10000, got [5000, 5000)',
    ],
    ['no path', { scope: { paths: [] } }, 'scope.paths: expected at least one path, got none'],
    [
      'bad path',
      { scope: { paths: ['/', 'plans'] } },
      'scope.paths.1: expected a path that begins with "/", got "plans"',
    ],
    [
      'bad host',
      { scope: { paths: ['/'], hosts: ['shop.example', 'http://x'] } },
      'scope.hosts.1: expected a host name such as "example.com" or "*.example.com", got "http://x"',
    ],
    [
      'no control',
      { variants: others },
      'variants: exactly one variant must have control: true, got 0',
    ],
    ['weights', { variants: others }, 'variants: weights must add up to 100, got 20 + 30 = 50'],
    [
      'slots of some variants',
      {
        variants: [
          { key: 'c', upstream: 'w', weight: 50, control: true, slots: [[0, 5000]] },
          ...others,
        ],
      },
      'variants: either all variants have slots, or none',
    ],
    [
      'slots against weights',
      {
        variants: [
          { key: 'c', upstream: 'w', weight: 60, control: true, slots: [[0, 5000]] },
          { key: 'A', upstream: 'n', weight: 40, slots: [[5000, 10000]] },
        ],
      },
      'variants: "c" has a weight of 60 but 5000 slots',
    ],
    [
      'slots twice',
      {
        variants: [
          { key: 'c', upstream: 'w', weight: 50, control: true, slots: [[0, 5000]] },
          { key: 'A', upstream: 'n', weight: 50, slots: [[4999, 9999]] },
        ],
      },
      'variants: slots [4999, 5000) belong to two ranges',
    ],
    [
      'move from nowhere',
      { moves: [{ from: 'C', to: 'A', revision: 2, slots: [[5000, 5001]] }] },
      'moves.0.from: no variant "C"; there are control, A, B',
    ],
    [
      'move to nowhere',
      { moves: [{ from: 'A', to: 'C', revision: 2, slots: [[5000, 5001]] }] },
      'moves.0.to: no variant "C"; there are control, A, B',
    ],
    [
      'move on the spot',
      { moves: [{ from: 'A', to: 'A', revision: 2, slots: [[5000, 5001]] }] },
      'moves.0.to: expected another variant than "from", got "A" for both',
    ],
    [
      'move of no revision',
      { moves: [{ from: 'B', to: 'A', revision: 0, slots: [[5000, 5001]] }] },
      'moves.0.revision: expected an integer from 1 to 999999999, got 0',
    ],
    [
      'move of slots that are none',
      {
        moves: [
          {
            from: 'B',
            to: 'A',
            revision: 2,
            slots: [
              [5000, 5001],
              [6000, 6000],
            ],
          },
        ],
      },
      'moves.0.slots.1: expected [from, to) with 0 <= from < to <= 10000, got [6000, 6000)',
    ],
    [
      'move of slots of another',
      { moves: [{ from: 'B', to: 'A', revision: 2, slots: [[6990, 7010]] }] },
      'moves.0.slots.0: expected slots of "A", but slot 7000 is not',
    ],
    ['winner', { winner: 'C' }, 'winner: no variant "C"; there are control, A, B'],
    [
      'conclusion without a winner',
      { status: 'concluded' },
      'winner: a concluded experiment names its winner',
    ],
    [
      'empty cookie name',
      { audience: { not: { cookie: { name: '' } } } },
      'audience.not.cookie.name: expected a text that is not empty, got ""',
    ],
  ])('%s', (_, change, problem) => {
    expect(problemsOf(change)).toContain(problem);
  });

  test('is told all its problems at once', () => {
    expect(control?.control).toBe(true);
    const twins = [...definition.variants, { key: 'A', upstream: 'x', weight: 1, control: true }];
    expect(problemsOf({ phase: -1, coverage: -1, variants: twins })).toHaveLength(5);
    expect(() => compileExperiment({ ...definition, phase: 0, revision: 0 })).toThrow(
      /^Experiment "home-redesign" cannot run: phase: .*; revision: /,
    );
  });
});
