/**
 * Counts in, verdicts out. Pure: no I/O, no clock, no randomness, and no import but the
 * numerics library. What can't be told has a named reason; nothing is ever NaN.
 */
export {
  confidenceSequence,
  logBayesFactor,
  sequentialP,
  type ConversionSegment,
  type LiftLimits,
} from './always-valid.ts';
export { analyze } from './analyze.ts';
export type { Analysis, Comparison, OpenVerdict, Verdict, Warning } from './analysis.ts';
export type { Carry, Counts } from './counts.ts';
export type { Figure, Reason } from './figure.ts';
export { holm } from './holm.ts';
export { firedRule, spendingOf } from './plan.ts';
export { differenceLowerLimit, lowerLimit, upperLimit } from './proportion.ts';
export type { Proportion } from './proportion.ts';
export { sampleRatio } from './sample-ratio.ts';
export type { SampleRatio } from './sample-ratio.ts';
export { pooledZ } from './single-look.ts';
