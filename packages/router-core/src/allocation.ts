import { ExperimentError, slotOwners } from './experiment.ts';
import type { ExperimentDefinition, MoveDefinition, VariantDefinition } from './experiment.ts';
import { previewMoves } from './move-preview.ts';
import type { VisitorShare } from './move-preview.ts';
import { rangesFromWeights } from './slots.ts';
import type { Range } from './slots.ts';

/**
 * Which variant owns which slot, from one revision to the next. A change hands over the
 * fewest slots that the new weights allow: whoever shrinks gives up the last of its slots,
 * and what is given up goes, in order, to those that grow. What that means for visitors who
 * are assigned already is the change's meaning.
 */

export type Meaning =
  /** They keep their variant; only new visitors follow the new weights. */
  | 'new-visitors'
  /** As few as possible move, so that all are split by the new weights. */
  | 'move-fewest'
  /** All are drawn afresh. */
  | 'new-phase';

export interface AllocationPlan {
  /**
   * `after`, and whatever else it holds, as the revision that follows `before`: with slots for
   * each variant, the moves that hold from now on, its phase and its revision.
   */
  readonly definition: ExperimentDefinition;
  /** How many slots get another owner: in hundredths of a percent, the new visitors concerned. */
  readonly slotsMoved: number;
  /** What happens to visitors who were there before; see `previewMoves`. */
  readonly moves: readonly VisitorShare[];
}

/**
 * Plans a change of an experiment, or its first allocation.
 *
 * The slots, moves, phase and revision of `after` are not looked at unless it is the first:
 * they follow from `before`. A first allocation lays the weights end to end. A variant that
 * keeps its key keeps its slots; who has one that is gone is drawn anew by the hash.
 *
 * @throws ExperimentError for another salt without a new phase, as that draws all anew
 * @throws RangeError for weights or slots that are none
 */
export function planChange(
  before: ExperimentDefinition | undefined,
  after: ExperimentDefinition,
  meaning: Meaning,
): AllocationPlan {
  const { moves: _moves, movesEnded: _ended, ...wanted } = after;
  if (before === undefined) {
    const ranges = rangesFromWeights(after.variants.map(({ weight }) => weight));
    const variants = after.variants.map((variant, index) => ({
      ...variant,
      slots: ranges.slice(index, index + 1).filter(([first, end]) => first < end),
    }));
    return { definition: { ...wanted, variants }, slotsMoved: 0, moves: [] };
  }
  if (meaning !== 'new-phase' && (before.salt ?? before.key) !== (after.salt ?? after.key)) {
    const message = `another salt draws every visitor anew: expected the meaning "new-phase", got "${meaning}"`;
    throw new ExperimentError(after.key, [{ path: ['salt'], message }]);
  }

  const owners = slotOwners(before.variants);
  const heirs = handOver(owners, after.variants);
  const revision = before.revision + 1;
  const earlier = (before.moves ?? []).flatMap((move) => slotMoves(move, heirs));
  // Nobody who is assigned follows slots that change hands for new visitors alone.
  const lasting = earlier.filter(
    ({ slot, to }) => meaning === 'move-fewest' || owners[slot] === to,
  );
  const movesEnded = lasting.length < earlier.length ? revision : before.movesEnded;
  const moves = {
    'new-visitors': lasting,
    'move-fewest': [...lasting, ...newMoves(owners, heirs, revision)],
    'new-phase': [],
  }[meaning];
  const known = new Set(after.variants.map(({ key }) => key));
  const merged = mergeMoves(moves.filter(({ from, to }) => from !== to && known.has(from)));
  const definition: ExperimentDefinition = {
    ...wanted,
    phase: meaning === 'new-phase' ? before.phase + 1 : before.phase,
    revision,
    variants: after.variants.map((variant) => ({
      ...variant,
      slots: rangesWhere(heirs.map((heir) => heir === variant.key)),
    })),
    ...(merged.length > 0 ? { moves: merged } : {}),
    // A new phase draws everybody anew, whatever is remembered.
    ...(movesEnded === undefined || meaning === 'new-phase' ? {} : { movesEnded }),
  };
  return {
    definition,
    slotsMoved: owners.filter((owner, slot) => owner !== heirs[slot]).length,
    moves: previewMoves(before, definition, meaning),
  };
}

/** The owner of each slot under the new weights, with as few changes as they allow. */
function handOver(
  owners: readonly string[],
  variants: readonly Pick<VariantDefinition, 'key' | 'weight'>[],
): readonly string[] {
  const ranges = rangesFromWeights(variants.map(({ weight }) => weight));
  const room = new Map(
    ranges.map(([first, end], index) => [variants[index]?.key ?? '', end - first]),
  );
  const kept = owners.map((owner) => {
    const left = room.get(owner) ?? 0;
    if (left > 0) room.set(owner, left - 1);
    return left > 0;
  });
  const takers = [...room].flatMap(([key, left]) => Array.from({ length: left }, () => key));
  let taken = 0;
  return owners.map((owner, slot) => {
    if (kept[slot] === true) return owner;
    taken += 1;
    return takers[taken - 1] ?? owner;
  });
}

/** A move of a single slot. */
interface SlotMove {
  readonly from: string;
  readonly to: string;
  readonly revision: number;
  readonly slot: number;
}

/** An earlier move by its slots, each to whom it leads now. */
function slotMoves(
  { from, revision, slots }: MoveDefinition,
  heirs: readonly string[],
): SlotMove[] {
  return slots.flatMap(([first, end]) =>
    heirs.slice(first, end).map((to, index) => ({ from, to, revision, slot: first + index })),
  );
}

function newMoves(
  owners: readonly string[],
  heirs: readonly string[],
  revision: number,
): SlotMove[] {
  return owners.flatMap((from, slot) => {
    const to = heirs[slot] ?? from;
    return from === to ? [] : [{ from, to, revision, slot }];
  });
}

/** Moves of the same two variants and revision as one, in the order of their first slots. */
function mergeMoves(moves: readonly SlotMove[]): MoveDefinition[] {
  const alike = Map.groupBy(moves, ({ from, to, revision }) => `${from} ${to} ${revision}`);
  return [...alike.values()]
    .flatMap((group) => {
      const [any] = group;
      if (any === undefined) return [];
      const { from, to, revision } = any;
      const slots = new Set(group.map(({ slot }) => slot));
      const last = Math.max(...slots);
      const held = Array.from({ length: last + 1 }, (_, slot) => slots.has(slot));
      return [{ from, to, revision, slots: rangesWhere(held) }];
    })
    .toSorted((a, b) => a.revision - b.revision || firstSlot(a) - firstSlot(b));
}

function firstSlot({ slots }: MoveDefinition): number {
  return slots[0]?.[0] ?? 0;
}

/** The slots that are held, as ranges: sorted, none next to another. */
function rangesWhere(held: readonly boolean[]): Range[] {
  const edges = [...held, false].flatMap((is, slot) =>
    is === (held[slot - 1] ?? false) ? [] : [slot],
  );
  return edges.flatMap((first, index) => {
    const end = edges[index + 1];
    return index % 2 === 0 && end !== undefined ? [[first, end] as const] : [];
  });
}
