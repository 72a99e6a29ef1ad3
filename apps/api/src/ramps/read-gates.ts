import type { ExperimentDocument } from '@turnout/contracts';
import type { GateReading, RampRequest } from '@turnout/contracts/ramp';
import { differenceLowerLimit, sampleRatio } from '@turnout/stats';
import type { Proportion } from '@turnout/stats';
import { countsBy } from './step-traffic.ts';
import type { Counts, StepTraffic } from './step-traffic.ts';

type Gates = RampRequest['gates'];
type Variants = ExperimentDocument['variants'];

/** How sure a breach has to be. A ramp looks every few seconds, so noise gets many chances. */
const CONFIDENCE = 0.999;
/** Answers of control that may be slower than its 95th percentile. */
const SLOW = 0.05;

export interface GatesRead {
  readonly readings: readonly GateReading[];
  /** The smallest p of the sample ratio so far. */
  readonly sampleRatioP: number;
}

/**
 * What each gate says of what was counted since the step began. Variants without a weight get
 * no new visitors, and are left out.
 *
 * @param sampleRatioP the smallest p of the sample ratio in this step before now; 1 at its start
 */
export function readGates(
  { counted, firstByteBounds }: StepTraffic,
  variants: Variants,
  gates: Gates,
  sampleRatioP: number,
): GatesRead {
  const weighted = variants.filter(({ weight }) => weight > 0);
  const control = weighted.find((variant) => variant.control);
  const readings: GateReading[] = [];
  for (const variant of weighted) {
    if (variant === control) continue;
    const pair = {
      variant: variant.key,
      its: countsBy(counted, variant.key),
      controls: control && countsBy(counted, control.key),
    };
    readings.push(errorRate(pair, gates), firstByte(pair, gates, firstByteBounds));
  }
  const ratio = readSampleRatio(counted, weighted, gates, sampleRatioP);
  return { readings: [...readings, ratio.reading], sampleRatioP: ratio.p };
}

/** What was counted of a variant and of control. */
interface Pair {
  readonly variant: string;
  readonly its: Counts | undefined;
  readonly controls: Counts | undefined;
}

/**
 * Fails once more of the variant's answers than of control's are 5xx, by surely more than the
 * allowance: the lower limit of the difference lies above it.
 */
function errorRate({ variant, its, controls }: Pair, gates: Gates): GateReading {
  const say = (verdict: GateReading['verdict'], detail: string): GateReading => ({
    gate: 'errorRate',
    variant,
    verdict,
    detail,
  });
  const tooFew = seenTooFew(its, controls, gates);
  if (its === undefined || controls === undefined || tooFew !== undefined) {
    return say('too-few', tooFew ?? '');
  }
  const failed = { count: its.serverErrors, total: its.requests };
  const controlFailed = { count: controls.serverErrors, total: controls.requests };
  const isBreached =
    differenceLowerLimit(failed, controlFailed, CONFIDENCE) > gates.errorRate / 100;
  return say(
    isBreached ? 'fail' : 'pass',
    `${percent(failed)} of ${figure(failed.total)} answers were 5xx, ` +
      `control had ${percent(controlFailed)} of ${figure(controlFailed.total)}` +
      (isBreached ? `; that is surely more than ${gates.errorRate} points above` : ''),
  );
}

/**
 * Fails once surely more than 5 % of the variant's first bytes take longer than the factor times
 * control's 95th percentile. Times are known by buckets: both the percentile and the time that
 * the factor makes of it are taken at the next bound, so that no variant fails for less than
 * the factor. How well control's percentile is known counts too, by the share of its own first
 * bytes above that bound.
 */
function firstByte(
  { variant, its, controls }: Pair,
  gates: Gates,
  bounds: readonly number[],
): GateReading {
  const say = (verdict: GateReading['verdict'], detail: string): GateReading => ({
    gate: 'firstByte',
    variant,
    verdict,
    detail,
  });
  const tooFew = seenTooFew(its, controls, gates);
  if (its === undefined || controls === undefined || tooFew !== undefined) {
    return say('too-few', tooFew ?? '');
  }
  // Requests that no upstream answered have no first byte.
  if (total(its) === 0 || total(controls) === 0) {
    const whose = total(its) === 0 ? 'of its answers' : 'of control’s answers';
    return say('too-few', `none ${whose} came from an upstream`);
  }
  const usual = bounds.findIndex(
    (_, bucket) => slowerThan(controls, bucket) <= SLOW * total(controls),
  );
  const usualTime = bounds[usual];
  const limit = bounds.findIndex((bound) => bound >= gates.firstByte * (usualTime ?? Infinity));
  const limitTime = bounds[limit];
  if (usualTime === undefined || limitTime === undefined) {
    return say('pass', 'control itself takes as long as can be told apart');
  }
  const slow = { count: slowerThan(its, limit), total: total(its) };
  const controlSlow = { count: slowerThan(controls, usual), total: total(controls) };
  const surely =
    differenceLowerLimit(slow, controlSlow, CONFIDENCE) + controlSlow.count / controlSlow.total;
  const isBreached = surely > SLOW;
  return say(
    isBreached ? 'fail' : 'pass',
    `${percent(slow)} of ${figure(slow.total)} first bytes took more than ${time(limitTime)}; ` +
      `95 % of control’s ${figure(controlSlow.total)} come within ${time(usualTime)}` +
      (isBreached ? `; that is surely more than ${gates.firstByte} times as long` : ''),
  );
}

/** Fails once the sequential test has found the split not to be the one of the weights. */
function readSampleRatio(
  counted: StepTraffic['counted'],
  weighted: Variants,
  gates: Gates,
  before: number,
): { readonly reading: GateReading; readonly p: number } {
  const visitors = weighted.map(({ key }) => countsBy(counted, key)?.newVisitors ?? 0);
  const weights = weighted.map(({ weight }) => weight);
  const ratio = sampleRatio(visitors, weights);
  const split = `new visitors ${weighted.map(({ key }, index) => `${key} ${figure(visitors[index] ?? 0)}`).join(', ')}`;
  if (ratio.kind === 'untestable') {
    const reading = { gate: 'sampleRatio', verdict: 'too-few', detail: 'no new visitors' } as const;
    return { reading, p: before };
  }
  const p = Math.min(before, ratio.p);
  const isBreached = p < gates.sampleRatio;
  return {
    reading: {
      gate: 'sampleRatio',
      verdict: isBreached ? 'fail' : 'pass',
      detail: `${split}; weights ${weights.join(' / ')}; p = ${p.toPrecision(2)}`,
    },
    p,
  };
}

/** Why there is too little to say anything; undefined where there is enough. */
function seenTooFew(
  its: Counts | undefined,
  controls: Counts | undefined,
  { minimumRequests }: Gates,
): string | undefined {
  const seen = its?.requests ?? 0;
  const controlSeen = controls?.requests ?? 0;
  if (seen >= minimumRequests && controlSeen >= minimumRequests) return undefined;
  return `${figure(seen)} answers, control ${figure(controlSeen)}; each needs ${figure(minimumRequests)}`;
}

function total({ firstByte: buckets }: Counts): number {
  return buckets.reduce((sum, count) => sum + count, 0);
}

/** First bytes that took longer than the bound of a bucket. */
function slowerThan({ firstByte: buckets }: Counts, bucket: number): number {
  return buckets.slice(bucket + 1).reduce((sum, count) => sum + count, 0);
}

function percent({ count, total: all }: Proportion): string {
  return `${((100 * count) / all).toFixed(1)} %`;
}

function figure(count: number): string {
  return count.toLocaleString('en-US');
}

function time(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 10_000) / 10} ms` : `${seconds} s`;
}
