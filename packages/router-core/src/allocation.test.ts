import { describe, expect, test } from 'vitest';
import { planChange } from './allocation.ts';
import { compileExperiment } from './experiment.ts';
import type { ExperimentDefinition, VariantDefinition } from './experiment.ts';
import { rangesFromWeights } from './slots.ts';

/** An experiment with these weights; the first is the control. */
function withWeights(
  weights: Readonly<Record<string, number>>,
  change: Partial<ExperimentDefinition> = {},
): ExperimentDefinition {
  return {
    key: 'home',
    status: 'running',
    phase: 1,
    revision: 1,
    scope: { paths: ['/'] },
    variants: Object.entries(weights).map(([key, weight], index): VariantDefinition => ({
      key,
      upstream: key,
      weight,
      control: index === 0,
    })),
    ...change,
  };
}

const slotsOf = ({ variants }: ExperimentDefinition) =>
  Object.fromEntries(variants.map(({ key, slots }) => [key, slots]));

const first = planChange(
  undefined,
  withWeights({ control: 20, A: 30, B: 50 }),
  'new-visitors',
).definition;

describe('the first plan', () => {
  test('lays the weights end to end', () => {
    expect(slotsOf(first)).toEqual({
      control: [[0, 2000]],
      A: [[2000, 5000]],
      B: [[5000, 10_000]],
    });
    const empty = planChange(undefined, withWeights({ control: 100, A: 0 }), 'new-phase');
    expect(slotsOf(empty.definition)).toEqual({ control: [[0, 10_000]], A: [] });
    expect(empty).toMatchObject({ slotsMoved: 0, moves: [], definition: { phase: 1 } });
  });

  test('is what the weights alone mean', () => {
    const weights = [33.33, 16.67, 50];
    const planned = planChange(
      undefined,
      withWeights({ control: 33.33, A: 16.67, B: 50 }),
      'new-visitors',
    );
    expect(planned.definition.variants.map(({ slots }) => slots?.[0])).toEqual(
      rangesFromWeights(weights),
    );
  });
});

describe('a change of weights', () => {
  const wanted = withWeights({ control: 30, A: 30, B: 40 });

  test('hands over 10 % from 20/30/50 to 30/30/40, not 20 %', () => {
    const { definition, slotsMoved } = planChange(first, wanted, 'new-visitors');
    expect(slotsMoved).toBe(1000);
    expect(slotsOf(definition)).toEqual({
      control: [
        [0, 2000],
        [9000, 10_000],
      ],
      A: [[2000, 5000]],
      B: [[5000, 9000]],
    });
    expect(definition).toMatchObject({ phase: 1, revision: 2 });
    expect(compileExperiment(definition).variantAt(9000).key).toBe('control');
  });

  test('starts from weights without slots as from those laid end to end', () => {
    const bare = withWeights({ control: 20, A: 30, B: 50 });
    expect(planChange(bare, wanted, 'move-fewest')).toEqual(
      planChange(first, wanted, 'move-fewest'),
    );
  });

  test('for new visitors moves nobody', () => {
    const { definition, moves } = planChange(first, wanted, 'new-visitors');
    expect(moves).toEqual([]);
    expect(definition).not.toHaveProperty('moves');
  });

  test('that moves the fewest says who, and leaves a move behind', () => {
    const { definition, moves } = planChange(first, wanted, 'move-fewest');
    expect(moves).toEqual([{ from: 'B', to: 'control', share: 0.2 }]);
    expect(definition.moves).toEqual([
      { from: 'B', to: 'control', revision: 2, slots: [[9000, 10_000]] },
    ]);
  });

  test('in a new phase draws all anew', () => {
    const moved = planChange(first, wanted, 'move-fewest').definition;
    const { definition, moves } = planChange(moved, wanted, 'new-phase');
    expect(definition).toMatchObject({ phase: 2, revision: 3 });
    expect(definition).not.toHaveProperty('moves');
    expect(moves.filter(({ from }) => from === 'A')).toEqual([
      { from: 'A', to: 'control', share: 0.3 },
      { from: 'A', to: 'B', share: 0.4 },
    ]);
  });

  test('keeps whatever else the document holds', () => {
    const titled = { ...wanted, title: 'A question' };
    expect(planChange(first, titled, 'new-visitors').definition).toHaveProperty(
      'title',
      'A question',
    );
  });
});

describe('moves of earlier changes', () => {
  // Slots 9,000 and above go from B to control; those who have B there follow.
  const moved = planChange(
    first,
    withWeights({ control: 30, A: 30, B: 40 }),
    'move-fewest',
  ).definition;

  test('stay while their slots stay', () => {
    const again = planChange(moved, withWeights({ control: 30, A: 40, B: 30 }), 'new-visitors');
    expect(again.definition.moves).toEqual(moved.moves);
  });

  test('lose the slots that go to somebody else, for new visitors', () => {
    const next = planChange(moved, withWeights({ control: 25, A: 35, B: 40 }), 'new-visitors');
    expect(next.definition.moves).toEqual([
      { from: 'B', to: 'control', revision: 2, slots: [[9000, 9500]] },
    ]);
  });

  test('lead on to the new owner, when visitors move', () => {
    const next = planChange(moved, withWeights({ control: 25, A: 35, B: 40 }), 'move-fewest');
    expect(next.definition.moves).toEqual([
      { from: 'B', to: 'control', revision: 2, slots: [[9000, 9500]] },
      { from: 'B', to: 'A', revision: 2, slots: [[9500, 10_000]] },
      { from: 'control', to: 'A', revision: 3, slots: [[9500, 10_000]] },
    ]);
    expect(next.moves).toEqual([{ from: 'control', to: 'A', share: 500 / 3000 }]);
  });

  test('end where the slots come back', () => {
    const back = planChange(moved, withWeights({ control: 20, A: 30, B: 50 }), 'move-fewest');
    expect(back.definition.moves).toEqual([
      { from: 'control', to: 'B', revision: 3, slots: [[9000, 10_000]] },
    ]);
  });
});

describe('a variant that is gone', () => {
  const without = withWeights({ control: 30, B: 70 });

  test.each(['new-visitors', 'move-fewest'] as const)('is shown, by %s', (meaning) => {
    const { definition, slotsMoved, moves } = planChange(first, without, meaning);
    expect(slotsMoved).toBe(3000);
    expect(moves).toEqual([
      { from: 'A', to: 'control', share: 1 / 3 },
      { from: 'A', to: 'B', share: 2 / 3 },
    ]);
    // No move is needed: who has an unknown variant is drawn anew, and the slots say by whom.
    expect(definition).not.toHaveProperty('moves');
  });

  test('without slots of its own: its visitors have slots of anybody', () => {
    const asleep = planChange(first, withWeights({ control: 30, A: 0, B: 70 }), 'new-visitors');
    const { moves } = planChange(asleep.definition, without, 'new-visitors');
    expect(moves).toEqual([
      { from: 'A', to: 'control', share: 0.3 },
      { from: 'A', to: 'B', share: 0.7 },
    ]);
  });
});

test('another salt needs a new phase', () => {
  const salted = { ...first, salt: 'other' };
  expect(() => planChange(first, salted, 'move-fewest')).toThrow(
    'salt: another salt draws every visitor anew: expected the meaning "new-phase", got "move-fewest"',
  );
  expect(planChange(first, salted, 'new-phase').definition).toMatchObject({ phase: 2 });
});

describe('coverage and layers in the preview', () => {
  const half = { ...first, coverage: 5000 };

  test('who falls out is the holdout, from each variant alike', () => {
    expect(planChange(first, half, 'new-visitors').moves).toEqual(
      ['control', 'A', 'B'].map((from) => ({ from, to: 'holdout', share: 0.5 })),
    );
  });

  test('who comes in is drawn by the weights', () => {
    const { moves } = planChange(half, { ...first, coverage: 7500 }, 'move-fewest');
    expect(moves).toEqual([
      { from: 'holdout', to: 'control', share: 0.1 },
      { from: 'holdout', to: 'A', share: 0.15 },
      { from: 'holdout', to: 'B', share: 0.25 },
    ]);
  });

  test('a new phase draws the coverage anew too', () => {
    const { moves } = planChange(half, half, 'new-phase');
    const sum = (from: string) =>
      moves.filter((move) => move.from === from).reduce((total, { share }) => total + share, 0);
    expect(sum('A')).toBeCloseTo(1 - 0.5 * 0.3);
    expect(sum('holdout')).toBeCloseTo(0.5);
  });

  test('nobody leaves an experiment that had nobody', () => {
    const none = { ...first, coverage: 0 };
    const { moves } = planChange(none, none, 'new-phase');
    expect(moves).toEqual([]);
  });

  test('slots of a layer that are given up are outside', () => {
    const left: ExperimentDefinition = { ...first, layer: { name: 'site', slots: [0, 5000] } };
    const right: ExperimentDefinition = { ...first, layer: { name: 'site', slots: [2500, 5000] } };
    expect(planChange(left, right, 'new-visitors').moves).toEqual(
      ['control', 'A', 'B'].map((from) => ({ from, to: 'outside', share: 0.5 })),
    );
    expect(planChange(right, left, 'new-visitors').moves).toEqual([
      { from: 'outside', to: 'control', share: (1 / 3) * 0.2 },
      { from: 'outside', to: 'A', share: (1 / 3) * 0.3 },
      { from: 'outside', to: 'B', share: (1 / 3) * 0.5 },
    ]);
    // Another layer draws apart: half of a half stays.
    const elsewhere: ExperimentDefinition = { ...left, layer: { name: 'shop', slots: [0, 5000] } };
    expect(planChange(left, elsewhere, 'new-visitors').moves).toContainEqual({
      from: 'A',
      to: 'outside',
      share: 0.5,
    });
  });
});
