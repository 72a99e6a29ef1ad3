// What the statistics promise, measured on experiments whose truth is known.

import {
  confidenceSequence,
  firedRule,
  holm,
  logBayesFactor,
  pooledZ,
  sampleRatio,
  sequentialP,
  spendingOf,
} from '@turnout/stats';
import type { ArmCount, Truth } from './experiment.ts';
import { LOOKS, experimentRunner } from './experiment.ts';

const WEIGHTS = [0.2, 0.3, 0.5] as const;
const ALPHA = 0.05;
const KAPPA = 100;
/** As the split of an experiment is called broken. */
const BROKEN_BELOW = 0.001;

/** Shares of experiments in which a rule fired at any of 100 looks. */
export interface FalsePositives {
  /** By the always-valid comparison, over both variants (Holm). */
  readonly alwaysValid: number;
  /** By the hybrid plan, whose single look is the last one. */
  readonly hybrid: number;
  /** By a z-test at every look, as if it were the only one. */
  readonly naive: number;
}

/** Runs experiments in which all arms convert alike. */
export function falsePositives(rate: number, experiments: number, seed: number): FalsePositives {
  const run = experimentRunner({ weights: WEIGHTS, rates: [rate, rate, rate] }, seed);
  const openEnded = spendingOf('open-ended', ALPHA);
  const hybrid = spendingOf('hybrid', ALPHA);
  const fired = { alwaysValid: 0, hybrid: 0, naive: 0 };
  for (let experiment = 0; experiment < experiments; experiment++) {
    const running = [1, 1];
    const has = { alwaysValid: false, hybrid: false, naive: false };
    run((arms, look) => {
      const single = [1, 2].map((variant) => {
        const test = pooledZ([pairOf(arms, variant)]);
        return test.kind === 'known' ? test.p : 1;
      });
      for (const index of running.keys()) {
        const p = sequentialP(logBayesFactor([conversionsOf(arms, index + 1)], KAPPA, 0));
        running[index] = Math.min(running[index] ?? 1, p);
      }
      const isLast = look === LOOKS - 1;
      const adjusted = holm(running);
      const adjustedSingle = holm(single);
      for (const index of running.keys()) {
        const evidence = {
          running: adjusted[index] ?? 1,
          final: isLast ? adjustedSingle[index] : undefined,
        };
        has.alwaysValid ||= firedRule(openEnded, evidence) !== undefined;
        has.hybrid ||= firedRule(hybrid, evidence) !== undefined;
        has.naive ||= (single[index] ?? 1) < ALPHA;
      }
    });
    fired.alwaysValid += Number(has.alwaysValid);
    fired.hybrid += Number(has.hybrid);
    fired.naive += Number(has.naive);
  }
  return {
    alwaysValid: fired.alwaysValid / experiments,
    hybrid: fired.hybrid / experiments,
    naive: fired.naive / experiments,
  };
}

/** How often a split was called broken, and how many looks that took in the middle case. */
export interface Splits {
  readonly broken: number;
  readonly medianLook: number;
}

/**
 * Runs experiments in which some visitors of the second arm are never counted.
 *
 * @param lost the share of that arm, such as 0.05
 */
export function brokenSplits(lost: number, experiments: number, seed: number): Splits {
  const kept = WEIGHTS.map((weight, arm) => (arm === 1 ? weight * (1 - lost) : weight));
  const all = kept.reduce((sum, share) => sum + share, 0);
  const truth: Truth = {
    weights: WEIGHTS,
    rates: [0.05, 0.05, 0.05],
    shares: kept.map((share) => share / all),
  };
  const run = experimentRunner(truth, seed);
  const first: number[] = [];
  for (let experiment = 0; experiment < experiments; experiment++) {
    let found = Infinity;
    run((arms, look) => {
      const test = sampleRatio(
        arms.map(({ visitors }) => visitors),
        WEIGHTS,
      );
      if (test.kind === 'tested' && test.p < BROKEN_BELOW) found = Math.min(found, look + 1);
    });
    first.push(found);
  }
  return {
    broken: first.filter(Number.isFinite).length / experiments,
    medianLook: first.toSorted((a, b) => a - b)[Math.floor(experiments / 2)] ?? Infinity,
  };
}

/** Shares of experiments whose confidence sequence held the truth, for each variant the lower. */
export interface Coverage {
  /** At all 100 looks. */
  readonly always: number;
  /** At the last look, as an interval that is looked at once promises. */
  readonly last: number;
}

/** Runs experiments in which both variants convert better than control by this lift. */
export function coverage(rate: number, lift: number, experiments: number, seed: number): Coverage {
  const better = rate * (1 + lift);
  const run = experimentRunner({ weights: WEIGHTS, rates: [rate, better, better] }, seed);
  const always = [0, 0];
  const last = [0, 0];
  for (let experiment = 0; experiment < experiments; experiment++) {
    const held = [true, true];
    run((arms, look) => {
      for (const index of held.keys()) {
        const limits = confidenceSequence([conversionsOf(arms, index + 1)], KAPPA, ALPHA);
        const isInside =
          limits !== undefined && limits.low <= lift && lift <= (limits.high ?? Infinity);
        held[index] = held[index] === true && isInside;
        if (look === LOOKS - 1) last[index] = (last[index] ?? 0) + Number(isInside);
      }
    });
    for (const [index, isHeld] of held.entries()) {
      always[index] = (always[index] ?? 0) + Number(isHeld);
    }
  }
  return { always: Math.min(...always) / experiments, last: Math.min(...last) / experiments };
}

function conversionsOf(arms: readonly ArmCount[], variant: number) {
  return {
    controlWeight: WEIGHTS[0],
    variantWeight: WEIGHTS[variant] ?? 0,
    controlConversions: arms[0]?.conversions ?? 0,
    variantConversions: arms[variant]?.conversions ?? 0,
  };
}

function pairOf(arms: readonly ArmCount[], variant: number) {
  const proportion = (arm: number) => ({
    count: arms[arm]?.conversions ?? 0,
    total: arms[arm]?.visitors ?? 0,
  });
  return { control: proportion(0), variant: proportion(variant) };
}
