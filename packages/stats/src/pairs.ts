import type { ConversionSegment } from './always-valid.ts';
import type { ArmCounts, Segment } from './counts.ts';
import type { Proportion } from './proportion.ts';
import type { Pair } from './single-look.ts';

/** Every arm of any segment with its sums; in the order of the last segment, whose weights it has. */
export function totalsOf(segments: readonly Segment[]): ArmCounts[] {
  const totals = new Map<string, ArmCounts>();
  for (const [age, { arms }] of segments.toReversed().entries()) {
    for (const arm of arms) {
      const later = totals.get(arm.key);
      totals.set(arm.key, {
        key: arm.key,
        weight: later?.weight ?? (age === 0 ? arm.weight : 0),
        visitors: arm.visitors + (later?.visitors ?? 0),
        conversions: arm.conversions + (later?.conversions ?? 0),
      });
    }
  }
  return [...totals.values()];
}

export function proportionOf({ conversions, visitors }: ArmCounts): Proportion {
  return { count: conversions, total: visitors };
}

/** The arms of each segment in which both took part: what came at another time is no comparison. */
function concurrent(
  segments: readonly Segment[],
  control: string,
  variant: string,
): { readonly control: ArmCounts; readonly variant: ArmCounts }[] {
  return segments.flatMap(({ arms }) => {
    const [before, after] = [control, variant].map((key) =>
      arms.find((arm) => arm.key === key && arm.weight > 0),
    );
    return before === undefined || after === undefined ? [] : { control: before, variant: after };
  });
}

export function pairsOf(segments: readonly Segment[], control: string, variant: string): Pair[] {
  return concurrent(segments, control, variant).map((pair) => ({
    control: proportionOf(pair.control),
    variant: proportionOf(pair.variant),
  }));
}

export function conversionsOf(
  segments: readonly Segment[],
  control: string,
  variant: string,
): ConversionSegment[] {
  return concurrent(segments, control, variant).map((pair) => ({
    controlWeight: pair.control.weight,
    variantWeight: pair.variant.weight,
    controlConversions: pair.control.conversions,
    variantConversions: pair.variant.conversions,
  }));
}

/** All segments as if they were one. */
export function pooled(pairs: readonly Pair[]): Pair {
  return {
    control: added(pairs.map(({ control }) => control)),
    variant: added(pairs.map(({ variant }) => variant)),
  };
}

function added(proportions: readonly Proportion[]): Proportion {
  return proportions.reduce(
    (sum, { count, total }) => ({ count: sum.count + count, total: sum.total + total }),
    { count: 0, total: 0 },
  );
}
