import type { Carry } from './counts.ts';
import type { FallbackReadings } from './fallback.ts';
import type { Figure, Interval } from './figure.ts';
import type { PlanKind, Rule } from './plan.ts';
import type { Posterior, PosteriorComparison } from './posterior.ts';
import type { ArmSplit, DimensionReading, SplitTest, StageReadings } from './split.ts';

/** The whole analysis, as plain data. Every name in it is told in docs/statistics.md. */
export interface Analysis {
  /** Key of control; null when there is no such arm. */
  readonly control: string | null;
  readonly alpha: number;
  readonly kappa: number;
  readonly visitors: number;
  readonly conversions: number;
  readonly plan: PlanReading;
  readonly sampleRatio: SampleRatioReading;
  readonly arms: readonly ArmAnalysis[];
  readonly comparisons: readonly Comparison[];
  readonly power: PowerReading;
  /** null where no stages were counted. */
  readonly stages: StageReadings | null;
  readonly slices: readonly DimensionReading[];
  /** null where no fallbacks were counted. */
  readonly fallbacks: FallbackReadings | null;
  readonly warnings: readonly Warning[];
  readonly verdict: Verdict;
  /** To be given as `previous` to the next analysis, since what was seen once stays seen. */
  readonly carry: Carry;
}

export interface PlanReading {
  readonly kind: PlanKind;
  readonly plannedVisitors: number | null;
  readonly isPlannedSizeReached: boolean;
  readonly runningAlpha: number;
  readonly finalAlpha: number;
}

export interface SampleRatioReading {
  readonly test: SplitTest;
  /** The smallest p of all looks so far; null when it was never tested. */
  readonly smallestP: number | null;
  /** Whether the smallest p is below 0.001: it does not heal by waiting. */
  readonly isBroken: boolean;
  readonly arms: readonly ArmSplit[];
}

interface ArmAnalysis {
  readonly key: string;
  readonly isControl: boolean;
  /** Of the last segment. */
  readonly weight: number;
  readonly visitors: number;
  readonly conversions: number;
  /** Wilson's interval. */
  readonly rate: Figure<Interval>;
  /** Secondary: not protected against peeking. */
  readonly posterior: Figure<Posterior>;
}

/** An arm against control, over the segments in which both took part. */
export interface Comparison {
  readonly key: string;
  readonly alwaysValid: Figure<AlwaysValid>;
  /** Newcombe's interval of variant − control. */
  readonly difference: Figure<Interval>;
  /** Katz's log interval of variant / control − 1. */
  readonly lift: Figure<Interval>;
  readonly pooledZ: Figure<{ readonly z: number; readonly p: number }>;
  readonly fisher: Figure<{ readonly p: number }>;
  readonly singleLook: Figure<SingleLook>;
  /** Secondary: not protected against peeking. */
  readonly posterior: Figure<PosteriorComparison>;
  /** The smallest lift that so many visitors would find, by the plan's single look. */
  readonly detectable: Figure<{ readonly lift: number }>;
  readonly decision: Decision;
}

export interface AlwaysValid {
  /** Against no lift, now; above 0 speaks against it. */
  readonly logBayesFactor: number;
  /** The smallest so far: min(previous, 1 / Bayes factor). */
  readonly p: number;
  /** Holm, over all comparisons. */
  readonly adjustedP: number;
  /** The confidence sequence at alpha, within all before it. */
  readonly lift: Figure<{
    /** By conversions and weights alone; null without conversions of control. */
    readonly estimate: number | null;
    readonly low: number;
    readonly high: number | null;
  }>;
  /** At alpha / number of comparisons: all of them hold at once. */
  readonly simultaneousLift: Figure<{ readonly low: number; readonly high: number | null }>;
  /** The variant's share of both arms' conversions. */
  readonly theta: Figure<Theta>;
}

export interface Theta {
  /** What it is without a lift, by the weights of the last segment. */
  readonly withoutLift: number;
  /** By conversions and weights alone; null without conversions. */
  readonly estimate: number | null;
  readonly low: number;
  readonly high: number;
}

export interface SingleLook {
  /** Fisher's where a cell is expected to hold fewer than 5. */
  readonly method: 'pooled-z' | 'fisher';
  readonly p: number;
  /** Holm, over all comparisons. */
  readonly adjustedP: number;
}

export type Decision =
  | { readonly kind: 'open' }
  | { readonly kind: 'decided'; readonly rule: Rule; readonly direction: 'better' | 'worse' };

export type OpenVerdict =
  | {
      readonly kind: 'undecided';
      readonly reason:
        | 'running'
        | 'planned-size-reached'
        | 'no-arms'
        | 'one-arm'
        | 'control-missing';
    }
  | {
      readonly kind: 'decided';
      readonly better: readonly string[];
      readonly worse: readonly string[];
      readonly open: readonly string[];
    };

/** With a broken split there is none; what it would be is there for whoever wants it all the same. */
export type Verdict =
  | OpenVerdict
  | { readonly kind: 'withheld'; readonly reason: 'sample-ratio'; readonly otherwise: OpenVerdict };

export type Warning =
  /** Under 25 conversions in an arm. */
  | { readonly kind: 'few-conversions'; readonly key: string; readonly conversions: number }
  /** Rates and intervals of arms mix times with different weights; comparisons do not. */
  | { readonly kind: 'weights-changed' }
  /** The single look is taken on more visitors than planned: it was to be taken once, then. */
  | { readonly kind: 'past-planned-size'; readonly visitors: number };

/** By the pooled z-test of a single look: the always-valid comparison takes more. */
export interface PowerReading {
  readonly baseline: number | null;
  readonly power: number;
  /** Of the single look, divided by the number of comparisons. */
  readonly alpha: number;
  /** Visitors that find the minimum lift, in all and by arm. */
  readonly sampleSize: Figure<{
    readonly visitors: number;
    readonly arms: readonly { readonly key: string; readonly visitors: number }[];
  }>;
  /** Until the planned size, or else the sample size, at the present traffic. */
  readonly daysLeft: Figure<{ readonly days: number }>;
}
