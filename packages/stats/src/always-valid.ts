import betaln from '@stdlib/math-base-special-betaln';

/**
 * The comparison that may be looked at as often as one likes (Lindon & Malek 2022,
 * "Anytime-valid inference for multinomial count data").
 *
 * It looks at conversions alone: of those of control and variant, each came from the variant
 * with the chance `θ = rT·(1 + lift) / (rC + rT·(1 + lift))`, r being the weights. Without a
 * lift that is `θ0 = rT / (rC + rT)`. A Beta prior around θ0 stands for all that might be true
 * instead; its Bayes factor against one θ is a bet that a true θ can't lose more than once in
 * 1/alpha times, however long it runs. A lift is in the confidence sequence as long as the bet
 * against it has not paid 1/alpha.
 */

/** What control and one variant counted under one pair of weights. */
export interface ConversionSegment {
  /** Above 0; only the ratio of the two matters. */
  readonly controlWeight: number;
  readonly variantWeight: number;
  readonly controlConversions: number;
  readonly variantConversions: number;
}

/** Limits of the relative lift: the variant's rate over control's, minus 1. */
export interface LiftLimits {
  /** From -1. */
  readonly low: number;
  /** null where there is none: nothing that was counted speaks against any lift, however high. */
  readonly high: number | null;
}

/** One segment, ready to be asked about any lift. */
interface Evidence {
  readonly variant: number;
  readonly control: number;
  /** ln(rT / rC): where ln(θ / (1 − θ)) is without a lift. */
  readonly offset: number;
  /** The part of the log Bayes factor that is the same for every lift. */
  readonly marginal: number;
}

/**
 * The natural logarithm of the Bayes factor against one lift: above 0 speaks against it. Each
 * segment has its own, with the prior around its own θ0; independent, they add up.
 *
 * `ln BF(θ) = ln B(a + xT, b + xC) − ln B(a, b) − xT·ln θ − xC·ln(1 − θ)`,
 * `a = κ·θ0`, `b = κ·(1 − θ0)`
 *
 * @param kappa how many conversions the prior weighs
 * @param lift above -1
 */
export function logBayesFactor(
  segments: readonly ConversionSegment[],
  kappa: number,
  lift: number,
): number {
  return against(evidenceOf(segments, kappa), Math.log1p(lift));
}

/** The p that goes with a log Bayes factor; the smallest one so far is valid at any time. */
export function sequentialP(logFactor: number): number {
  return Math.min(1, Math.exp(-logFactor));
}

/**
 * The lift that fits the conversions best, by their number alone.
 *
 * @returns null where it is infinite, or there are no conversions
 */
export function likeliestLift(segments: readonly ConversionSegment[]): number | null {
  const logRatio = likeliestLogRatio(evidenceOf(segments, 1));
  return Number.isNaN(logRatio) ? null : finiteLift(logRatio);
}

/**
 * All lifts that no look so far speaks against: `{lift: ln BF < ln 1/alpha}`, an interval, since
 * the log Bayes factor is convex in `ln(1 + lift)`.
 *
 * @returns undefined when there is none: the segments contradict each other
 */
export function confidenceSequence(
  segments: readonly ConversionSegment[],
  kappa: number,
  alpha: number,
): LiftLimits | undefined {
  const evidence = evidenceOf(segments, kappa);
  const enough = -Math.log(alpha);
  const isInside = (logRatio: number): boolean => against(evidence, logRatio) < enough;
  const variant = sum(evidence, (each) => each.variant);
  const control = sum(evidence, (each) => each.control);
  const likeliest = variant + control === 0 ? 0 : likeliestLogRatio(evidence);
  const middle = Math.min(FARTHEST, Math.max(-FARTHEST, likeliest));
  if (!isInside(middle)) return undefined;
  return {
    low: variant === 0 ? -1 : Math.expm1(edge(isInside, middle, -1)),
    high: control === 0 ? null : finiteLift(edge(isInside, middle, 1)),
  };
}

/** Of ln(1 + lift): far enough for every difference to have vanished. */
const FARTHEST = 2000;

/** Walks from the inside outwards until it is outside, then halves down to neighbouring doubles. */
function edge(isInside: (at: number) => boolean, middle: number, direction: 1 | -1): number {
  let inside = middle;
  let step = 1;
  while (isInside(middle + direction * step)) {
    inside = middle + direction * step;
    step *= 2;
  }
  let outside = middle + direction * step;
  for (;;) {
    const half = inside + (outside - inside) / 2;
    if (half === inside || half === outside) return inside;
    if (isInside(half)) inside = half;
    else outside = half;
  }
}

/** Where the slope `Σ n·θ − Σ xT` crosses 0; NaN without conversions. */
function likeliestLogRatio(evidence: readonly Evidence[]): number {
  const variant = sum(evidence, (each) => each.variant);
  const control = sum(evidence, (each) => each.control);
  const odds = Math.log(variant / control);
  if (!Number.isFinite(odds)) return odds;
  const offsets = evidence.map(({ offset }) => offset);
  // With one segment these are the same.
  let low = odds - Math.max(...offsets);
  let high = odds - Math.min(...offsets);
  for (;;) {
    const half = low + (high - low) / 2;
    if (half === low || half === high) return half;
    const excess = sum(
      evidence,
      (each) => (each.variant + each.control) / (1 + Math.exp(-half - each.offset)) - each.variant,
    );
    if (excess < 0) low = half;
    else high = half;
  }
}

function evidenceOf(segments: readonly ConversionSegment[], kappa: number): Evidence[] {
  return segments.map((segment) => {
    const weights = segment.variantWeight + segment.controlWeight;
    const a = (kappa * segment.variantWeight) / weights;
    const b = (kappa * segment.controlWeight) / weights;
    const { variantConversions: variant, controlConversions: control } = segment;
    return {
      variant,
      control,
      offset: Math.log(segment.variantWeight / segment.controlWeight),
      marginal: variant + control === 0 ? 0 : betaln(a + variant, b + control) - betaln(a, b),
    };
  });
}

function against(evidence: readonly Evidence[], logRatio: number): number {
  return sum(evidence, ({ variant, control, offset, marginal }) => {
    const logOdds = logRatio + offset;
    // −ln θ and −ln(1 − θ): these keep their digits where θ comes close to 0 or 1.
    return marginal + variant * softplus(-logOdds) + control * softplus(logOdds);
  });
}

/** ln(1 + eˣ), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function finiteLift(logRatio: number): number | null {
  const lift = Math.expm1(logRatio);
  return Number.isFinite(lift) ? lift : null;
}

function sum<Each>(list: readonly Each[], number: (each: Each) => number): number {
  return list.reduce((total, each) => total + number(each), 0);
}
