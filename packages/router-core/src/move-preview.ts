import type { Meaning } from './allocation.ts';
import { slotOwners } from './experiment.ts';
import type { ExperimentDefinition } from './experiment.ts';
import { SLOTS } from './slots.ts';
import type { Range } from './slots.ts';

/** Where visitors are whom the coverage leaves out. */
export const HOLDOUT = 'holdout';
/** Where visitors are whose slot of the layer is not the experiment's. */
export const OUTSIDE = 'outside';

/** A part of those who are in one place before a change, and in another after it. */
export interface VisitorShare {
  /** A variant's key, `holdout` or `outside`. */
  readonly from: string;
  /** A variant's key, `holdout` or `outside`. */
  readonly to: string;
  /** Of the visitors of `from`: above 0, at most 1. */
  readonly share: number;
}

/** How likely each place is for somebody: they add up to 1, or to 0 where there is nobody. */
type Odds = ReadonlyMap<string, number>;

/**
 * What a change does to visitors who were there before it, by arithmetic on slots alone.
 *
 * Shares between variants are exact, up to how evenly visitors fall on slots, for visitors
 * who have what the hash says. Those who kept another variant through an earlier change for
 * `new-visitors` have slots of anybody; for them a share is what it is for the variant's
 * others. A new phase, coverage and layers draw apart from the variant, so whatever they
 * change is an expectation, the same for each variant. Visitors from `holdout` and `outside`
 * are taken as new, though the ledger may know some of them from a wider coverage.
 * A change of scope, audience or status shows nowhere here: who is concerned is not in the slots.
 *
 * @param after with slots, as `planChange` makes it
 */
export function previewMoves(
  before: ExperimentDefinition,
  after: ExperimentDefinition,
  meaning: Meaning,
): VisitorShare[] {
  const layer = layerOdds(before.layer, after.layer);
  const coverage = coverageOdds(before, after, meaning === 'new-phase');
  const fresh = weightOdds(after);
  const variants = variantOdds(before, after, meaning);

  const shares: VisitorShare[] = [];
  const add = (from: string, to: string, share: number): void => {
    if (from !== to && share > 0) shares.push({ from, to, share });
  };
  for (const [from, odds] of coverage.before > 0 ? variants : []) {
    for (const [to, share] of odds) add(from, to, layer.stay * coverage.stay * share);
    add(from, HOLDOUT, layer.stay * (1 - coverage.stay));
    add(from, OUTSIDE, 1 - layer.stay);
  }
  if (coverage.before < SLOTS) {
    for (const [to, share] of fresh) add(HOLDOUT, to, layer.stay * coverage.enter * share);
    add(HOLDOUT, OUTSIDE, 1 - layer.stay);
  }
  for (const [to, share] of fresh) add(OUTSIDE, to, layer.enter * coverage.fresh * share);
  add(OUTSIDE, HOLDOUT, layer.enter * (1 - coverage.fresh));
  return shares;
}

/** For each variant before, where its visitors are after, all else the same. */
function variantOdds(
  before: ExperimentDefinition,
  after: ExperimentDefinition,
  meaning: Meaning,
): ReadonlyMap<string, Odds> {
  const fresh = weightOdds(after);
  const owners = slotOwners(before.variants);
  const heirs = slotOwners(after.variants);
  return new Map(
    before.variants.map(({ key }): [string, Odds] => {
      if (meaning === 'new-phase') return [key, fresh];
      const isGone = !fresh.has(key);
      if (meaning === 'new-visitors' && !isGone) return [key, new Map([[key, 1]])];
      const own = heirs.filter((_, slot) => owners[slot] === key);
      // Without slots it has visitors of earlier weights at most: they stay, or are drawn anew.
      if (own.length === 0) return [key, isGone ? fresh : new Map([[key, 1]])];
      const counts = Map.groupBy(own, (heir) => heir);
      return [key, new Map([...counts].map(([heir, slots]) => [heir, slots.length / own.length]))];
    }),
  );
}

/** What the hash says to somebody new. */
function weightOdds({ variants }: ExperimentDefinition): Odds {
  return new Map(variants.map(({ key, weight }) => [key, Math.round(weight * 100) / SLOTS]));
}

function coverageOdds(
  { coverage: before = SLOTS }: ExperimentDefinition,
  { coverage: after = SLOTS }: ExperimentDefinition,
  isDrawnAnew: boolean,
): { before: number; stay: number; enter: number; fresh: number } {
  const fresh = after / SLOTS;
  if (isDrawnAnew) return { before, stay: fresh, enter: fresh, fresh };
  return {
    before,
    stay: before === 0 ? 0 : Math.min(before, after) / before,
    enter: before === SLOTS ? 0 : Math.max(0, after - before) / (SLOTS - before),
    fresh,
  };
}

/** How likely it is to stay in the experiment's slots of its layer, and to come into them. */
function layerOdds(
  before: ExperimentDefinition['layer'],
  after: ExperimentDefinition['layer'],
): { stay: number; enter: number } {
  const all: Range = [0, SLOTS];
  const [first, end] = before?.slots ?? all;
  const [nextFirst, nextEnd] = after?.slots ?? all;
  const [width, nextWidth] = [end - first, nextEnd - nextFirst];
  // Layers of two names draw apart; where one side takes all, the names do not matter.
  const shared =
    before?.name === after?.name
      ? Math.max(0, Math.min(end, nextEnd) - Math.max(first, nextFirst))
      : (width * nextWidth) / SLOTS;
  return {
    stay: shared / width,
    enter: width === SLOTS ? 0 : (nextWidth - shared) / (SLOTS - width),
  };
}
