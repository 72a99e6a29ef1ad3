import type { Exclusion, ExperimentCounts, Slice, VariantCounts } from '@turnout/contracts/results';
import type { CountedSlice, PhaseCounts } from '../repository/results-repository.ts';

/** The counts as they are told, from those by revision. Variants in the order of `variants`. */
export function experimentCounts(
  place: { readonly experiment: string; readonly phase: number; readonly metric: string },
  { slices, firstExposure, lastExposure }: PhaseCounts,
  variants: readonly string[],
): ExperimentCounts {
  const people = slices.filter(({ by }) => by === 'edge');
  const bots = slices.filter(({ by, slice }) => by === 'bot' && slice !== 'none');
  const byRevision = people.map((each) => ({ ...each, slice: String(each.revision) }));
  const slicesBy = (by: Slice['by'], some: readonly CountedSlice[]): Slice[] =>
    [...Map.groupBy(some, ({ slice }) => slice)]
      .map(([value, own]) => ({ by, value, variants: variantCounts(own, variants) }))
      .toSorted((a, b) => a.value.localeCompare(b.value, 'en', { numeric: true }));
  const sliced = (by: CountedSlice['by']) => slices.filter((slice) => slice.by === by);
  return {
    ...place,
    ...(firstExposure && { firstExposure: firstExposure.toISOString() }),
    ...(lastExposure && { lastExposure: lastExposure.toISOString() }),
    variants: variantCounts(people, variants),
    slices: [
      ...slicesBy('day', sliced('day')),
      ...slicesBy('bot', sliced('bot')),
      ...slicesBy('edge', people),
      ...slicesBy('revision', byRevision),
    ],
    inTwoVariants: people.reduce((sum, { inTwoVariants }) => sum + inTwoVariants, 0),
    bots: bots.reduce((sum, { exposed }) => sum + exposed, 0),
  };
}

const FIGURES = [
  'exposed',
  'fallback',
  'confirmed',
  'reported',
  'conversions',
  'confirmedConversions',
  'value',
  'valueSquared',
] as const;

function variantCounts(
  slices: readonly CountedSlice[],
  variants: readonly string[],
): VariantCounts[] {
  return variants.map((variant) => {
    const counts = {
      variant,
      exposed: 0,
      fallback: 0,
      confirmed: 0,
      reported: 0,
      conversions: 0,
      confirmedConversions: 0,
      value: 0,
      valueSquared: 0,
    };
    for (const slice of slices) {
      if (slice.variant === variant) for (const figure of FIGURES) counts[figure] += slice[figure];
    }
    return counts;
  });
}

/** Who is left out of what, and why. */
export function exclusionsOf({ bots, variants }: ExperimentCounts): Exclusion[] {
  const unconfirmed = variants.reduce(
    (sum, { exposed, confirmed }) => sum + exposed - confirmed,
    0,
  );
  return [
    {
      what: 'bots',
      visitors: bots,
      why: 'They say that they are programs. They are in the slices by bot class, and in no other figure.',
    },
    {
      what: 'previews',
      visitors: null,
      why: 'Whoever opens a preview, or is given a forced variant, is never recorded.',
    },
    {
      what: 'unconfirmed',
      visitors: unconfirmed,
      why: 'Their cookie has not come back yet. They are in the raw population, and left out of the confirmed one.',
    },
  ];
}
