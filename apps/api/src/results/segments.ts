import type { Population } from '@turnout/contracts/results';
import type { Counts } from '@turnout/stats';
import type { CountedSlice } from '../repository/results-repository.ts';

type Segment = NonNullable<Counts['earlier']>[number];
type Slices = NonNullable<Counts['slices']>;
type Visitors = NonNullable<Counts['fallbacks']>;

/** Weights of the variants at one revision, by variant. */
type Weights = ReadonlyMap<string, number>;

/** The weights that held at a revision. */
export type WeightsAt = (revision: number) => Weights;

/**
 * Cuts what was counted where the weights changed; oldest first, at least one. A variant that a
 * revision does not have took nobody there: its weight is 0.
 *
 * @param present the revision whose weights hold now
 */
export function segmentsOf(
  slices: readonly CountedSlice[],
  weightsAt: WeightsAt,
  present: number,
  population: Population,
): Segment[] {
  const counted = slices.filter(({ by }) => by === 'edge');
  const variants = variantsOf(slices, weightsAt(present));
  const revisions = [...new Set([...counted.map(({ revision }) => revision), present])];
  const segments: { readonly weights: string; readonly segment: Segment }[] = [];
  for (const revision of revisions.toSorted((a, b) => a - b)) {
    const weights = weightsAt(revision);
    const arms = variants.map((key) => ({
      key,
      weight: weights.get(key) ?? 0,
      ...countOf(
        counted.filter((slice) => slice.variant === key && slice.revision === revision),
        population,
      ),
    }));
    const name = JSON.stringify(arms.map(({ weight }) => weight));
    const last = segments.at(-1);
    if (last?.weights === name) {
      segments[segments.length - 1] = { weights: name, segment: added(last.segment, { arms }) };
    } else {
      segments.push({ weights: name, segment: { arms } });
    }
  }
  const taken = segments.filter(
    ({ segment }, index) => index === segments.length - 1 || anybody(segment),
  );
  return taken.map(({ segment }) => segment);
}

function variantsOf(slices: readonly CountedSlice[], weights: Weights): string[] {
  return [...new Set([...weights.keys(), ...slices.map(({ variant }) => variant)])];
}

function countOf(
  slices: readonly CountedSlice[],
  population: Population,
): { readonly visitors: number; readonly conversions: number } {
  const isRaw = population === 'raw';
  return {
    visitors: sum(slices, isRaw ? 'exposed' : 'confirmed'),
    conversions: sum(slices, isRaw ? 'conversions' : 'confirmedConversions'),
  };
}

function added(segment: Segment, other: Segment): Segment {
  return {
    arms: segment.arms.map((arm, index) => ({
      ...arm,
      visitors: arm.visitors + (other.arms[index]?.visitors ?? 0),
      conversions: arm.conversions + (other.arms[index]?.conversions ?? 0),
    })),
  };
}

function anybody({ arms }: Segment): boolean {
  return arms.some(({ visitors }) => visitors > 0);
}

/** How far visitors got, in the order in which they get there. */
export function stagesOf(slices: readonly CountedSlice[]): NonNullable<Counts['stages']> {
  const counted = slices.filter(({ by }) => by === 'edge');
  const stage = (name: string, count: (slice: CountedSlice) => number) => ({
    stage: name,
    visitors: byVariant(counted, count),
  });
  return [
    stage('assigned', ({ exposed }) => exposed),
    stage('served', ({ exposed, fallback }) => exposed - fallback),
    stage('confirmed', ({ confirmed }) => confirmed),
    stage('reported', ({ reported }) => reported),
  ];
}

/** Visitors whom another variant stood in for. */
export function fallbacksOf(slices: readonly CountedSlice[]): Visitors {
  return byVariant(
    slices.filter(({ by }) => by === 'edge'),
    ({ fallback }) => fallback,
  );
}

/** By day, bot class, edge and revision, each slice with the weights that held for its visitors. */
export function splitSlices(slices: readonly CountedSlice[], weightsAt: WeightsAt): Slices {
  const byRevision = slices
    .filter(({ by }) => by === 'edge')
    .map((slice) => ({ ...slice, slice: String(slice.revision) }));
  return {
    day: read(slices.filter(({ by }) => by === 'day')),
    bot: read(slices.filter(({ by }) => by === 'bot')),
    edge: read(slices.filter(({ by }) => by === 'edge')),
    revision: read(byRevision),
  };

  function read(some: readonly CountedSlice[]): Slices[string] {
    return [...Map.groupBy(some, ({ slice }) => slice)].map(([value, own]) => ({
      value,
      visitors: byVariant(own, ({ exposed }) => exposed),
      weights: expectedOf(own, weightsAt),
    }));
  }
}

/** How many visitors each variant was to have: of each revision by its own weights. */
function expectedOf(slices: readonly CountedSlice[], weightsAt: WeightsAt): Visitors {
  const expected: Record<string, number> = {};
  for (const [revision, own] of Map.groupBy(slices, (slice) => slice.revision)) {
    const visitors = sum(own, 'exposed');
    for (const [variant, weight] of weightsAt(revision)) {
      expected[variant] = (expected[variant] ?? 0) + visitors * weight;
    }
  }
  return expected;
}

function byVariant(
  slices: readonly CountedSlice[],
  count: (slice: CountedSlice) => number,
): Visitors {
  const visitors: Record<string, number> = {};
  for (const slice of slices) {
    visitors[slice.variant] = (visitors[slice.variant] ?? 0) + count(slice);
  }
  return visitors;
}

function sum(
  slices: readonly CountedSlice[],
  figure: 'exposed' | 'confirmed' | 'conversions' | 'confirmedConversions',
): number {
  return slices.reduce((total, slice) => total + slice[figure], 0);
}
