import { ConfigError, experimentSchema, readConfig } from '@turnout/contracts';
import {
  ExperimentError,
  compileExperiment,
  type ExperimentDefinition,
} from '@turnout/router-core';
import { createRedisStore } from '@turnout/router-core/redis';
import { describe, expect, test } from 'vitest';
import { configProblems } from './config-problems.ts';

const PLAIN = `upstreams: { site: { url: "http://127.0.0.1:3000" } }
default: site
`;

function problems(source: string): readonly string[] {
  try {
    readConfig(source, 'turnout.yaml', {}, configProblems);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('every path, host and experiment is looked at, and all is told at once, with lines', () => {
  expect(
    problems(`public: { hosts: ["*", localhost, "http://x"] }
${PLAIN}routes:
  - { path: /a**b, upstream: site }
  - { path: /x?y, host: "shop.example:x", upstream: site }
  - { path: shop, host: "", upstream: sight }
experiments:
  - key: home
    status: running
    scope: { paths: [/, "/a[b]"], hosts: [shop.example, "http://x"] }
    variants: [{ key: control, upstream: site, weight: 100, control: true }]
  - key: prices
    status: draft
    salt: A B
    scope: { paths: [/prices**], hosts: ["*"] }
    variants: [{ key: control, upstream: site, weight: 90, control: true }]
  - { key: coverage, status: running, variants: [{ key: c, upstream: site, weight: 100, control: true }] }
`),
  ).toEqual([
    'turnout.yaml:1:35: public.hosts[2]: expected a host name such as "example.com" or "*.example.com", got "http://x"',
    'turnout.yaml:5:13: routes[0].path: expected ** to be a whole segment, got "a**b" in "/a**b"',
    'turnout.yaml:6:13: routes[1].path: expected a path with no wildcards but * and **, got "?" in "/x?y"',
    'turnout.yaml:6:25: routes[1].host: expected a host name such as "example.com" or "*.example.com", got "shop.example:x"',
    'turnout.yaml:7:13: routes[2].path: expected a path that begins with "/", got "shop"',
    'turnout.yaml:7:25: routes[2].host: expected a host name such as "example.com" or "*.example.com", got ""',
    'turnout.yaml:7:39: routes[2].upstream: no upstream "sight"; there are: site',
    'turnout.yaml:11:25: experiments[0].scope.paths[1]: expected a path with no wildcards but * and **, got "[" in "/a[b]"',
    'turnout.yaml:11:57: experiments[0].scope.hosts[1]: expected a host name such as "example.com" or "*.example.com", got "http://x"',
    'turnout.yaml:15:11: experiments[1].salt: expected lower-case letters, digits and dashes, no dash first (at most 64), got "A B"',
    'turnout.yaml:16:22: experiments[1].scope.paths[0]: expected ** to be a whole segment, got "prices**" in "/prices**"',
    'turnout.yaml:16:42: experiments[1].scope.hosts[0]: expected a host name such as "example.com" or "*.example.com", got "*"',
    'turnout.yaml:17:15: experiments[1].variants: weights must add up to 100, got 90 = 90',
    'turnout.yaml:18:12: experiments[2].key: "coverage" names a draw of its own, choose another salt',
  ]);
});

test('what a worker can use is left alone', () => {
  expect(
    problems(`public: { hosts: ["*", "*.shop.example", "[::1]", 127.0.0.1] }
${PLAIN}routes: [{ path: "/__nextjs*/**", host: "*.shop.example", upstream: site }]
experiments:
  - key: home
    status: running
    scope: { paths: [/, "/plans/**"], hosts: [shop.example] }
    variants: [{ key: control, upstream: site, weight: 100, control: true }]
`),
  ).toEqual([]);
});

const variants = (...weights: number[]) =>
  weights.map((weight, index) => ({
    key: `v${index}`,
    upstream: 'site',
    weight,
    control: index === 0,
  }));
const keyed = (key: string) => [{ key, upstream: 'site', weight: 100, control: true }];

function compiles(definition: ExperimentDefinition): boolean {
  try {
    compileExperiment(definition);
    return true;
  } catch (error) {
    if (error instanceof ExperimentError) return false;
    throw error;
  }
}

type Case = [name: string, change: Partial<ExperimentDefinition>, isTaken: boolean];

describe('the schema and the compiler take the same experiments', () => {
  const base = {
    key: 'home',
    status: 'running',
    phase: 1,
    revision: 1,
    scope: { paths: ['/**'] },
    variants: [
      { key: 'control', upstream: 'site', weight: 50, control: true },
      { key: 'A', upstream: 'site', weight: 50 },
    ],
  } as const satisfies ExperimentDefinition;
  test.each<Case>([
    ['as it is', {}, true],
    ...['a', '0', 'a-', 'x'.repeat(64)].flatMap((key): Case[] => [
      [`key ${key}`, { key }, true],
      [`salt ${key}`, { salt: key }, true],
      [`layer ${key}`, { layer: { name: key, slots: [0, 1] } }, true],
    ]),
    ...['', '-a', 'A', 'a b', 'a:b', 'a\n', 'ä', 'x'.repeat(65)].flatMap((key): Case[] => [
      [`key "${key}"`, { key }, false],
      [`salt "${key}"`, { salt: key }, false],
      [`layer "${key}"`, { layer: { name: key, slots: [0, 1] } }, false],
    ]),
    ['a reserved key', { key: 'layer' }, false],
    ['a reserved key with a salt', { key: 'layer', salt: 'site' }, true],
    ['a reserved salt', { salt: 'coverage' }, false],
    ['a layer of a reserved name', { layer: { name: 'layer', slots: [0, 10_000] } }, true],
    ...['A', '0_-', 'V'.repeat(64)].map((key): Case => [
      `variant ${key}`,
      { variants: keyed(key) },
      true,
    ]),
    ...['', '-A', '_A', 'A B', 'A,B', 'V'.repeat(65)].map((key): Case => [
      `variant "${key}"`,
      { variants: keyed(key) },
      false,
    ]),
    ...[1, 999_999_999].flatMap((count): Case[] => [
      [`phase ${count}`, { phase: count }, true],
      [`revision ${count}`, { revision: count }, true],
    ]),
    ...[0, -1, 1.5, 1_000_000_000].flatMap((count): Case[] => [
      [`phase ${count}`, { phase: count }, false],
      [`revision ${count}`, { revision: count }, false],
    ]),
    ['coverage of none', { coverage: 0 }, true],
    ['coverage of all', { coverage: 10_000 }, true],
    ['coverage of more', { coverage: 10_001 }, false],
    ['coverage of less', { coverage: -1 }, false],
    ['coverage of a part', { coverage: 0.5 }, false],
    ['no slots', { layer: { name: 'site', slots: [5, 5] } }, false],
    ['slots turned round', { layer: { name: 'site', slots: [6, 5] } }, false],
    ['slots past the end', { layer: { name: 'site', slots: [0, 10_001] } }, false],
    ['weights of thirds', { variants: variants(33.33, 33.33, 33.34) }, true],
    ['a weight of none', { variants: variants(100, 0) }, true],
    ['weights past the rounding of doubles', { variants: variants(33.3300001, 66.6699999) }, false],
    ['weights of three decimals', { variants: variants(33.333, 66.667) }, false],
    ['weights of less', { variants: variants(99.99) }, false],
    ['a weight below none', { variants: variants(100.5, -0.5) }, false],
    ['no variant', { variants: [] }, false],
    ['the most variants', { variants: variants(100, ...Array(255).fill(0)) }, true],
    ['a variant too many', { variants: variants(100, ...Array(256).fill(0)) }, false],
    [
      'a variant twice',
      { variants: [...base.variants, { ...base.variants[1], weight: 0 }] },
      false,
    ],
    ['no control', { variants: [{ key: 'A', upstream: 'site', weight: 100 }] }, false],
    ['a winner', { status: 'concluded', winner: 'A' }, true],
    ['no winner', { status: 'concluded' }, false],
    ['a winner that is none', { winner: 'B' }, false],
    ['no path', { scope: { paths: [] } }, false],
    ['a cookie without a name', { audience: { cookie: { name: '' } } }, false],
  ])('%s', (_, change, isTaken) => {
    const definition: ExperimentDefinition = { ...base, ...change };
    expect([experimentSchema.safeParse(definition).success, compiles(definition)]).toEqual([
      isTaken,
      isTaken,
    ]);
  });
});

test.each([
  'redis://',
  'http://127.0.0.1',
  'redis://127.0.0.1:99999',
  'redis+cluster://a:1,b:x',
  'redis+sentinel://a:1,b:2',
  'redis+sentinel://a:1,b:x/ledger',
  'redis+sentinel://a:1/ledger/first',
])('the address %s is refused before a store is opened', (redis) => {
  expect(() => createRedisStore({ url: redis, ttl: 1_000 })).toThrow(TypeError);
  expect(problems(`${PLAIN}redis: "${redis}"\n`)).toEqual([
    `turnout.yaml:3:8: redis: expected a URL such as redis://127.0.0.1:6379 or redis+sentinel://a:26379,b:26379/NAME, got "${redis}"`,
  ]);
});

test.each([
  'redis://me:secret@127.0.0.1:1/2',
  'rediss://127.0.0.1:1',
  'redis+cluster://127.0.0.1:1,127.0.0.1:2',
  'redis+sentinel://me:secret@127.0.0.1:1,[::1]:2/ledger/3',
  'rediss+sentinel://127.0.0.1/ledger',
])('the address %s is taken by the configuration and by a store', async (redis) => {
  expect(problems(`${PLAIN}redis: "${redis}"\n`)).toEqual([]);
  await createRedisStore({ url: redis, ttl: 1_000 }).close();
});
