import type { Problem } from './problem.ts';

/** What an experiment says of its layer, as far as it is written down. */
interface LayerClaim {
  readonly key?: string | undefined;
  readonly status?: string | undefined;
  readonly layer?:
    | {
        readonly name?: string | undefined;
        readonly slots?: readonly [number, number] | undefined;
      }
    | undefined;
}

/**
 * Experiments of one layer that claim the same slots: their visitors would be in both, and
 * neither result would be its own. Whatever its pages, each claims its slots for every
 * request. A draft claims none, so that the next experiment can be written down while the
 * present one still runs; it is refused when its status changes. Nor does an archived one.
 */
export function layerOverlaps({
  experiments,
}: {
  readonly experiments: readonly LayerClaim[];
}): Problem[] {
  const claims = experiments.flatMap(({ key, status, layer: { name, slots } = {} }, index) => {
    const isIdle = status === 'draft' || status === 'archived';
    if (name === undefined || slots === undefined || isIdle) return [];
    const [from, to] = slots;
    return [{ index, layer: name, label: key ?? `experiments[${index}]`, from, to }];
  });
  const byLayer = Map.groupBy(claims, ({ layer }) => layer);
  const overlaps = [...byLayer.values()].flatMap((rivals) =>
    rivals.flatMap((claim, position) =>
      rivals
        .slice(0, position)
        .filter((other) => Math.max(claim.from, other.from) < Math.min(claim.to, other.to))
        .map((other) => ({ claim, other })),
    ),
  );
  return overlaps.map(({ claim, other }): Problem => {
    const shared = `[${Math.max(claim.from, other.from)}, ${Math.min(claim.to, other.to)})`;
    return {
      path: ['experiments', claim.index, 'layer', 'slots'],
      message:
        `experiments ${JSON.stringify(other.label)} and ${JSON.stringify(claim.label)} of layer ` +
        `${JSON.stringify(claim.layer)} share the slots ${shared}; give each slots of its own`,
    };
  });
}
