import { readConfig } from '@turnout/contracts';
import { stringify } from 'yaml';
import { describe, expect, test } from 'vitest';
import { configuration, experiment } from '../testing/site.ts';
import { checkExperiments } from './experiments.ts';

const URLS = { control: 'http://127.0.0.1:1', next: 'http://127.0.0.1:2' };

function troublesOf(
  experiments: readonly Readonly<Record<string, unknown>>[],
  more: Readonly<Record<string, unknown>> = {},
): unknown[] {
  const source = stringify({ ...configuration(URLS), experiments, ...more });
  const config = readConfig(source, 'turnout.yaml');
  return checkExperiments({ config }).filter(({ level }) => level !== 'ok');
}

function later(paths: readonly string[], more: Readonly<Record<string, unknown>> = {}) {
  return experiment({ key: 'later', scope: { paths }, ...more });
}

describe('an experiment that an earlier one leaves no visitor', () => {
  const SHADOWED = [
    expect.objectContaining({
      level: 'error',
      where: 'experiments.later',
      got: 'every page of it is in the scope of home (running), which comes first',
    }),
  ];

  test.each([
    [['/**'], ['/plans/*/new', '/about']],
    [
      ['/plans/**', '/about'],
      ['/plans', '/plans/*'],
    ],
    [['/a*/**'], ['/ab/**']],
  ])('%j takes %j', (paths, taken) => {
    expect(troublesOf([experiment({ scope: { paths } }), later(taken)])).toEqual(SHADOWED);
  });

  test.each([
    [['/plans/**'], ['/**']],
    [['/plans/*'], ['/plans/**']],
    [['/plans/**'], ['/plans', '/about']],
  ])('%j leaves some of %j', (paths, left) => {
    expect(troublesOf([experiment({ scope: { paths } }), later(left)])).toEqual([]);
  });

  const ALL = { scope: { paths: ['/**'] } };
  const AUDIENCE = { cookie: { name: 'member' } };
  test.each([
    ['it is a draft', { ...ALL, status: 'draft' }, {}],
    ['it is for some visitors', { ...ALL, audience: AUDIENCE }, {}],
    ['it is for some requests', { scope: { paths: ['/**'], when: { method: 'GET' } } }, {}],
    ['it has a part of a layer', { ...ALL, layer: { name: 'site', slots: [0, 5_000] } }, {}],
    ['it is for another host', { scope: { paths: ['/**'], hosts: ['a.example'] } }, {}],
  ])('not when %s', (_, earlier, more) => {
    expect(troublesOf([experiment(earlier), later(['/plans'], more)])).toEqual([]);
  });

  test('also when both are for the same visitors and hosts', () => {
    const hosts = ['a.example', '*.b.example'];
    const earlier = experiment({ scope: { paths: ['/**'], hosts }, audience: AUDIENCE });
    const narrow = { key: 'later', audience: AUDIENCE, scope: { paths: ['/plans'], hosts } };
    expect(troublesOf([earlier, experiment(narrow)])).toEqual(SHADOWED);
  });
});

function weightTroubles(control: number, A: number, status = 'running'): unknown[] {
  const variants = [
    { key: 'control', upstream: 'control', weight: control, control: true },
    { key: 'A', upstream: 'next', weight: A },
  ];
  return troublesOf([experiment({ status, variants })]);
}

test('weights of 0: no kill switch, and no control', () => {
  expect(weightTroubles(100, 0)).toMatchObject([
    {
      level: 'warning',
      where: 'experiments.home.variants.A',
      fix: expect.stringContaining('status: killed'),
    },
  ]);
  expect(weightTroubles(0, 100)).toMatchObject([
    {
      level: 'warning',
      where: 'experiments.home.variants.control',
      expected: 'visitors for the control',
    },
  ]);
  expect(weightTroubles(100, 0, 'draft')).toEqual([]);
});

test('no coverage while it runs', () => {
  expect(troublesOf([experiment({ coverage: 0 })])).toMatchObject([
    { level: 'warning', where: 'experiments.home.coverage' },
  ]);
  expect(troublesOf([experiment({ coverage: 0, status: 'paused' })])).toEqual([]);
});

test('rules on the country, wherever they stand, without its header', () => {
  const country = { not: { any: [{ all: [{ country: 'DE' }] }] } };
  const experiments = [
    experiment({
      audience: country,
      scope: { paths: ['/'], when: country },
      forced: [
        { when: { method: 'GET' }, variant: 'A' },
        { when: country, variant: 'A' },
      ],
    }),
  ];
  const routes = [{ path: '/de/**', when: country, upstream: 'next' }];
  const found = troublesOf(experiments, { routes });
  expect(found).toMatchObject([
    { level: 'error', where: 'experiments.home.audience' },
    { level: 'error', where: 'experiments.home.scope.when' },
    { level: 'error', where: 'experiments.home.forced[1]' },
    { level: 'error', where: 'routes[0].when' },
  ]);
  expect(troublesOf(experiments, { routes, countryHeader: 'CF-IPCountry' })).toEqual([]);
});
