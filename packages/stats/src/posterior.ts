import betainc from '@stdlib/math-base-special-betainc';
import type { QuadraturePoint } from './gauss-legendre.ts';
import { gaussLegendre } from './gauss-legendre.ts';
import type { Proportion } from './proportion.ts';

/**
 * What a Bayesian says of the arms: each rate has the posterior Beta(1 + x, 1 + n − x), from a
 * prior by which every rate is as likely as any other. Not protected against peeking: whoever
 * looks often enough will see a high chance come by.
 */
export interface Posterior {
  /** The chance that its rate is the highest of all. */
  readonly chanceToBeBest: number;
  /** How far its rate is expected to lie below the highest; in rates, such as 0.001. */
  readonly expectedLoss: number;
}

export interface PosteriorComparison {
  readonly chanceToBeatControl: number;
  readonly chanceToLoseToControl: number;
  /** How much rate it is expected to cost to choose the variant, where control is better. */
  readonly expectedLossOfVariant: number;
  /** How much rate it is expected to cost to stay with control, where the variant is better. */
  readonly expectedLossOfControl: number;
}

/** One posterior, at all points of the quadrature. */
interface Sampled {
  /** Its mass at each point: density times weight, summing up to 1. */
  readonly mass: readonly number[];
  /** The chance to be below each point, and above it: both, since 1 minus one loses small values. */
  readonly below: readonly number[];
  readonly above: readonly number[];
}

const POINTS = gaussLegendre(16);
/** e⁻⁷⁴⁵ is the smallest double above 0. */
const NOTHING = -745;

/** Compares all arms; the functions below do it by integrals over the same points. */
export interface Posteriors {
  of(index: number): Posterior;
  compare(control: number, variant: number): PosteriorComparison;
}

/**
 * Integrates by Gauss–Legendre quadrature over panels that are as narrow as the narrowest
 * posterior near them:
 *
 * - chance to be best `∫ fᵢ·Π Fⱼ`, to beat control `∫ fT·FC`
 * - expected loss against the best `∫ Fᵢ·(1 − Π Fⱼ)`, against one other `∫ Fᵢ·(1 − Fⱼ)`
 */
export function posteriors(arms: readonly Proportion[]): Posteriors {
  const points = quadrature(arms);
  const sampled = arms.map((arm) => sample(arm, points));
  const at = (index: number): Sampled => {
    const arm = sampled[index];
    if (arm === undefined) throw new RangeError(`expected an arm of ${arms.length}, got ${index}`);
    return arm;
  };
  const integral = (value: (point: number) => number): number =>
    Math.min(1, total(points.map(({ weight }, point) => weight * value(point))));

  return {
    of(index) {
      const arm = at(index);
      const others = sampled.filter((other) => other !== arm);
      return {
        chanceToBeBest: expected(arm, (point) =>
          others.reduce((product, { below }) => product * (below[point] ?? 0), 1),
        ),
        expectedLoss: integral((point) => (arm.below[point] ?? 0) * anyAbove(others, point)),
      };
    },
    compare(controlIndex, variantIndex) {
      const [control, variant] = [at(controlIndex), at(variantIndex)];
      return {
        chanceToBeatControl: expected(variant, (point) => control.below[point] ?? 0),
        chanceToLoseToControl: expected(control, (point) => variant.below[point] ?? 0),
        expectedLossOfVariant: integral(
          (point) => (variant.below[point] ?? 0) * (control.above[point] ?? 0),
        ),
        expectedLossOfControl: integral(
          (point) => (control.below[point] ?? 0) * (variant.above[point] ?? 0),
        ),
      };
    },
  };
}

/** The mean over one posterior: of chances, the chance of all together. */
function expected({ mass }: Sampled, value: (point: number) => number): number {
  return Math.min(1, total(mass.map((each, point) => each * value(point))));
}

/** The chance that at least one of them is above: `1 − Π (1 − aboveⱼ)`, without cancellation. */
function anyAbove(arms: readonly Sampled[], point: number): number {
  return arms.reduce((any, { above, below }) => any * (below[point] ?? 0) + (above[point] ?? 0), 0);
}

function sample(arm: Proportion, points: readonly QuadraturePoint[]): Sampled {
  const mode = arm.total === 0 ? 0.5 : arm.count / arm.total;
  const densities: number[] = [];
  const below: number[] = [];
  const above: number[] = [];
  for (const { at, weight } of points) {
    const logDensity = logKernel(arm, mode, at);
    densities.push(weight * Math.exp(logDensity));
    const [chanceBelow, chanceAbove] = chances(arm, mode, at, logDensity);
    below.push(chanceBelow);
    above.push(chanceAbove);
  }
  const all = total(densities);
  return { mass: densities.map((density) => density / all), below, above };
}

function chances(
  { count, total: visitors }: Proportion,
  mode: number,
  at: number,
  logDensity: number,
): [below: number, above: number] {
  if (logDensity < NOTHING) return at < mode ? [0, 1] : [1, 0];
  const [a, b] = [count + 1, visitors - count + 1];
  if (at < mode) {
    const chance = betainc(at, a, b);
    return [chance, 1 - chance];
  }
  const chance = betainc(at, a, b, true, true);
  return [1 - chance, chance];
}

/** ln of the density, relative to the mode: near it, nothing large is subtracted. */
function logKernel({ count, total: visitors }: Proportion, mode: number, at: number): number {
  const converted = count === 0 ? 0 : count * Math.log1p((at - mode) / mode);
  const rest = visitors - count;
  return converted + (rest === 0 ? 0 : rest * Math.log1p((mode - at) / (1 - mode)));
}

/** The points of all panels, which crowd where posteriors are narrow. */
function quadrature(arms: readonly Proportion[]): QuadraturePoint[] {
  const ends = [0, ...thinned(arms.flatMap(panelEnds)), 1];
  return ends.slice(1).flatMap((end, index) => {
    const start = ends[index] ?? 0;
    const half = (end - start) / 2;
    return POINTS.map(({ at, weight }) => ({ at: start + half * (1 + at), weight: half * weight }));
  });
}

/** Where a panel ends, and how wide one of its posterior may be there. */
interface PanelEnd {
  readonly at: number;
  readonly width: number;
}

/** Two standard deviations apart for as far as a bell reaches; then wider and wider, as tails do. */
function panelEnds({ count, total: visitors }: Proportion): PanelEnd[] {
  const mean = (count + 1) / (visitors + 2);
  const deviation = Math.sqrt((mean * (1 - mean)) / (visitors + 3));
  const ends = [{ at: mean, width: 2 * deviation }];
  let width = 2 * deviation;
  for (let distance = width; distance < 1; distance += width) {
    ends.push({ at: mean - distance, width }, { at: mean + distance, width });
    if (distance > 40 * deviation) width *= 1.3;
  }
  return ends.filter(({ at }) => at > 0 && at < 1);
}

/** Leaves out what others near by make needless, as with many arms that are alike. */
function thinned(ends: readonly PanelEnd[]): number[] {
  const sorted = ends.toSorted((a, b) => a.at - b.at);
  const kept: number[] = [];
  for (const [index, { at, width }] of sorted.entries()) {
    const next = sorted[index + 1]?.at ?? 1;
    if (next - (kept.at(-1) ?? 0) > width) kept.push(at);
  }
  return kept;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
