/** Numbers from 0 up to 1. */
export type Random = () => number;

/** One set of chances, in the order of its outcomes. */
interface Distribution {
  /** The outcome of the first one. */
  readonly first: number;
  /** Chances of this outcome or a smaller one. */
  readonly cumulative: Float64Array;
}

/** Outcomes rarer than this are left out; in all simulations not one would have come. */
const NEGLIGIBLE = 1e-18;

/**
 * Draws from binomial distributions by inverting their cumulative chances, which are computed
 * once for each size: exact to the last digits, and fast as long as sizes repeat.
 */
export function binomialSampler(random: Random): (size: number, chance: number) => number {
  const known = new Map<number, Map<number, Distribution>>();
  return (size, chance) => {
    const ofChance = known.get(chance) ?? new Map<number, Distribution>();
    known.set(chance, ofChance);
    let distribution = ofChance.get(size);
    if (distribution === undefined) {
      distribution = distributionOf(size, chance);
      ofChance.set(size, distribution);
    }
    return invert(distribution, random());
  };
}

function distributionOf(size: number, chance: number): Distribution {
  const mode = Math.min(size, Math.floor((size + 1) * chance));
  const odds = chance / (1 - chance);
  // Relative to the likeliest outcome, outwards from it.
  const below: number[] = [];
  for (let outcome = mode, each = 1; outcome > 0; outcome--) {
    each *= outcome / ((size - outcome + 1) * odds);
    if (each < NEGLIGIBLE) break;
    below.push(each);
  }
  const above: number[] = [];
  for (let outcome = mode, each = 1; outcome < size; outcome++) {
    each *= ((size - outcome) * odds) / (outcome + 1);
    if (each < NEGLIGIBLE) break;
    above.push(each);
  }
  const cumulative = Float64Array.from([...below.toReversed(), 1, ...above]);
  const all = cumulative.reduce((sum, each) => sum + each, 0);
  let sum = 0;
  for (const [index, each] of cumulative.entries()) {
    sum += each / all;
    cumulative[index] = sum;
  }
  return { first: mode - below.length, cumulative };
}

/** The first outcome whose cumulative chance is above the draw. */
function invert({ first, cumulative }: Distribution, draw: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] ?? 1) > draw) high = middle;
    else low = middle + 1;
  }
  return first + low;
}
