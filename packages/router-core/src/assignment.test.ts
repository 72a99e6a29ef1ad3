import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/assignment.json' with { type: 'json' };
import { request } from '../test/request.ts';
import { isInLayer, propose, proposeFromMirror, selectExperiment } from './assignment.ts';
import { compileExperiment } from './experiment.ts';
import type { ExperimentDefinition } from './experiment.ts';
import { slotOf } from './slots.ts';
import type { Range } from './slots.ts';
import { visitorId } from './visitor-cookie.ts';

const base: ExperimentDefinition = {
  key: 'home-redesign',
  status: 'running',
  phase: 1,
  revision: 1,
  scope: { paths: ['/'] },
  variants: [
    { key: 'control', upstream: 'wordpress', weight: 50, control: true },
    { key: 'A', upstream: 'next', weight: 20 },
    { key: 'B', upstream: 'vue', weight: 30 },
  ],
};
const range = ([first = 0, end = 0]: readonly number[]): Range => [first, end];
const home = request('/');
const ids = cases.assignments.map(({ id }) => visitorId(id));

describe('case table', () => {
  test.each(cases.assignments)('$salt:$phase:$id is $outcome: $variant', (row) => {
    const { salt, phase, ranges, coverage, layer, outcome, variant } = row;
    const experiment = compileExperiment({
      ...base,
      salt,
      phase,
      coverage,
      ...(layer === undefined ? {} : { layer: { name: layer.name, slots: range(layer.slots) } }),
      variants: ranges.map(({ variant: key, slots }) => ({
        key,
        upstream: key,
        weight: slots.reduce((sum, [first = 0, end = 0]) => sum + end - first, 0) / 100,
        slots: slots.map(range),
        control: key === 'control',
      })),
    });
    const id = visitorId(row.id);
    expect(isInLayer(experiment, id)).toBe(outcome !== 'outside');
    const proposal = propose(experiment, id);
    const seen = proposal === 'holdout' ? 'holdout' : proposal.key;
    // The layer comes first: outside it, nothing is asked of the other draws.
    expect(outcome === 'outside' ? null : seen).toBe(outcome === 'holdout' ? 'holdout' : variant);
  });
});

describe('selectExperiment', () => {
  const id = visitorId('AAECAwQFBgcICQoLDA0ODw');

  test('takes the first that matches and is no draft', () => {
    const draft = compileExperiment({ ...base, key: 'draft', status: 'draft' });
    const elsewhere = compileExperiment({ ...base, key: 'elsewhere', scope: { paths: ['/x'] } });
    const first = compileExperiment({ ...base, key: 'first' });
    const second = compileExperiment({ ...base, key: 'second' });
    expect(selectExperiment([draft, elsewhere, first, second], home, id)).toBe(first);
    expect(selectExperiment([draft, elsewhere], home, id)).toBeUndefined();
  });

  test('gives every visitor to exactly one of the experiments that share out a layer', () => {
    const halves = [
      compileExperiment({ ...base, key: 'low', layer: { name: 'site', slots: [0, 5000] } }),
      compileExperiment({ ...base, key: 'high', layer: { name: 'site', slots: [5000, 10000] } }),
    ];
    for (const visitor of ids) {
      expect(halves.filter((half) => isInLayer(half, visitor))).toHaveLength(1);
    }
    expect(new Set(ids.map((visitor) => selectExperiment(halves, home, visitor)?.key))).toEqual(
      new Set(['low', 'high']),
    );
  });
});

test('raising the coverage moves nobody between variants', () => {
  const narrow = compileExperiment({ ...base, coverage: 3000 });
  const wide = compileExperiment({ ...base, coverage: 9000 });
  const outcomes = ids.map((id) => [propose(narrow, id), propose(wide, id)] as const);
  const taking = outcomes.filter(([before]) => before !== 'holdout');
  expect(taking.length).toBeGreaterThan(0);
  for (const [before, after] of taking) expect(after).toEqual(before);
  expect(outcomes.filter(([before]) => before === 'holdout').length).toBeGreaterThan(
    outcomes.filter(([, after]) => after === 'holdout').length,
  );
});

describe('proposeFromMirror', () => {
  const experiment = compileExperiment({ ...base, phase: 2, revision: 9 });
  const entry = { experiment: 'home-redesign', variant: 'B', phase: 2 };
  const [id = visitorId('AAECAwQFBgcICQoLDA0ODw')] = ids;

  test('takes a known variant of this phase, or of a newer one', () => {
    expect(proposeFromMirror(experiment, { id, mirror: [entry] })).toEqual({
      variant: { key: 'B', upstream: 'vue', control: false },
      phase: 2,
      revision: 9,
      source: 'mirror',
    });
    const newer = [{ ...entry, phase: 3 }];
    expect(proposeFromMirror(experiment, { id, mirror: newer })).toMatchObject({ phase: 3 });
  });

  test.each([
    ['of an older phase', [{ ...entry, phase: 1 }]],
    ['of a variant that is gone', [{ ...entry, variant: 'C' }]],
    ['of another experiment', [{ ...entry, experiment: 'home' }]],
    ['when there is none', []],
  ])('takes nothing %s', (_, mirror) => {
    expect(proposeFromMirror(experiment, { id, mirror })).toBeUndefined();
  });

  test('takes what a move makes of it, in the phase of the move', () => {
    const moved = compileExperiment({
      ...base,
      phase: 2,
      revision: 9,
      moves: [{ from: 'B', to: 'control', revision: 4, slots: [[0, 5000]] }],
    });
    const within = ids.find((each) => slotOf('home-redesign', 2, each) < 5000);
    const without = ids.find((each) => slotOf('home-redesign', 2, each) >= 5000);
    if (within === undefined || without === undefined) throw new Error('the cases hold both');
    expect(proposeFromMirror(moved, { id: within, mirror: [entry] })).toEqual({
      variant: { key: 'control', upstream: 'wordpress', control: true },
      phase: 2,
      revision: 9,
      source: 'mirror',
    });
    expect(proposeFromMirror(moved, { id: without, mirror: [entry] })?.variant.key).toBe('B');
    const newer = [{ ...entry, phase: 3 }];
    expect(proposeFromMirror(moved, { id: within, mirror: newer })?.variant.key).toBe('B');
    const elsewhere = [{ ...entry, variant: 'A' }];
    expect(proposeFromMirror(moved, { id: within, mirror: elsewhere })?.variant.key).toBe('A');
  });
});
