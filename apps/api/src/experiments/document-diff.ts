import type { ExperimentDocument } from '@turnout/contracts';
import type { Difference } from '@turnout/contracts/management';
import diff from 'microdiff';

/**
 * What differs between two documents. Variants are compared by their keys, so that one that is
 * new does not look like a change of all that follow; other lists are compared by index. The
 * revision always differs and is left out.
 */
export function documentDiff(before: ExperimentDocument, after: ExperimentDocument): Difference[] {
  return [
    ...diff(byKey(before), byKey(after)).map((one): Difference => {
      const { path } = one;
      if (one.type === 'CREATE') return { path, after: one.value };
      if (one.type === 'REMOVE') return { path, before: one.oldValue };
      return { path, before: one.oldValue, after: one.value };
    }),
    ...orderDiff(before, after),
  ];
}

function byKey({ revision: _, variants, ...rest }: ExperimentDocument) {
  return {
    ...rest,
    variants: Object.fromEntries(variants.map(({ key, ...variant }) => [key, variant])),
  };
}

/** The order of variants says which slots each gets at first. */
function orderDiff(before: ExperimentDocument, after: ExperimentDocument): Difference[] {
  const order = ({ variants }: ExperimentDocument) => variants.map(({ key }) => key);
  const [was, is] = [order(before), order(after)];
  const common = (keys: string[], others: string[]) => keys.filter((key) => others.includes(key));
  if (common(was, is).join() === common(is, was).join()) return [];
  return [{ path: ['variants'], before: was, after: is }];
}
