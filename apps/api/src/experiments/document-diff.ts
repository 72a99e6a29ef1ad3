import { isDeepStrictEqual } from 'node:util';
import type { ExperimentDocument } from '@turnout/contracts';
import type { Difference } from '@turnout/contracts/management';
import diff from 'microdiff';

/**
 * What differs between two documents. Variants are compared by their keys, so that one that is
 * new does not look like a change of all that follow; slots and moves are told whole, as no
 * single number of theirs says anything; other lists are compared by index. The revision always
 * differs and is left out.
 */
export function documentDiff(before: ExperimentDocument, after: ExperimentDocument): Difference[] {
  return [
    ...diff(byKey(before), byKey(after)).map((one): Difference => {
      const { path } = one;
      if (one.type === 'CREATE') return { path, after: one.value };
      if (one.type === 'REMOVE') return { path, before: one.oldValue };
      return { path, before: one.oldValue, after: one.value };
    }),
    ...differenceOf(['variants'], ...commonOrders(before, after)),
    ...after.variants.flatMap(({ key, slots }) => {
      const earlier = before.variants.find((variant) => variant.key === key);
      return earlier === undefined
        ? []
        : differenceOf(['variants', key, 'slots'], earlier.slots, slots);
    }),
    ...differenceOf(['moves'], before.moves, after.moves),
  ];
}

function byKey({ revision: _r, moves: _m, movesEnded: _e, variants, ...rest }: ExperimentDocument) {
  return {
    ...rest,
    variants: Object.fromEntries(variants.map(({ key, slots: _s, ...variant }) => [key, variant])),
  };
}

/** The keys that both have, in the order of each: it says which slots come first. */
function commonOrders(before: ExperimentDocument, after: ExperimentDocument): [string[], string[]] {
  const [was, is] = [keysOf(before), keysOf(after)];
  return [was.filter((key) => is.includes(key)), is.filter((key) => was.includes(key))];
}

function differenceOf(path: Difference['path'], before: unknown, after: unknown): Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  return [
    {
      path,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    },
  ];
}

function keysOf({ variants }: ExperimentDocument): string[] {
  return variants.map(({ key }) => key);
}
