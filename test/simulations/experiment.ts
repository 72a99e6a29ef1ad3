import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { binomialSampler } from './binomial.ts';

/** What has been counted of one arm, up to a look. */
export interface ArmCount {
  visitors: number;
  conversions: number;
}

/** An experiment whose truth is known. The first arm is control. */
export interface Truth {
  readonly weights: readonly number[];
  /** By arm. */
  readonly rates: readonly number[];
  /** Shares of visitors, where they are not those of the weights: by arm, summing up to 1. */
  readonly shares?: readonly number[];
}

export const LOOKS = 100;
const VISITORS_PER_LOOK = 1_000;

/**
 * Runs experiments of 100,000 visitors each, and gives all counts so far after each thousand.
 * The same arrays are used again for the next look.
 *
 * Whether a visitor converts is drawn first, and to which arm they belong then, so that sizes and
 * chances repeat; the result has the same distribution as when it is done the other way round.
 */
export function experimentRunner(
  truth: Truth,
  seed: number,
): (look: (arms: readonly ArmCount[], index: number) => void) => void {
  const generator = xoroshiro128plus(seed);
  const binomial = binomialSampler(() => uniformFloat64(generator));
  const shares = truth.shares ?? truth.weights;
  const converts = sum(shares.map((share, arm) => share * (truth.rates[arm] ?? 0)));
  const ofConverted = chain(shares.map((share, arm) => share * (truth.rates[arm] ?? 0)));
  const ofOthers = chain(shares.map((share, arm) => share * (1 - (truth.rates[arm] ?? 0))));

  return (look) => {
    const arms = shares.map((): ArmCount => ({ visitors: 0, conversions: 0 }));
    for (let index = 0; index < LOOKS; index++) {
      const converted = binomial(VISITORS_PER_LOOK, converts);
      let [left, others] = [converted, VISITORS_PER_LOOK - converted];
      for (const [number, arm] of arms.entries()) {
        const [conversions, rest] = [
          draw(left, ofConverted[number] ?? 1),
          draw(others, ofOthers[number] ?? 1),
        ];
        left -= conversions;
        others -= rest;
        arm.visitors += conversions + rest;
        arm.conversions += conversions;
      }
      look(arms, index);
    }
  };

  function draw(size: number, chance: number): number {
    return chance >= 1 ? size : binomial(size, chance);
  }
}

/** The chance of each outcome when none of those before it came. */
function chain(shares: readonly number[]): number[] {
  return shares.map((share, index) =>
    index === shares.length - 1 ? 1 : share / sum(shares.slice(index)),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
