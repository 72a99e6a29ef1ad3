import type { GateReading, RampRequest, RampState } from '@turnout/contracts/ramp';

/** What a ramp is at, as far as its next step depends on it. */
export interface RampProgress {
  readonly steps: RampRequest['steps'];
  /** Index of the step in force. */
  readonly step: number;
  readonly stepSince: Date;
}

/** What was seen of the step in force. */
export interface Sight {
  readonly readings: readonly GateReading[];
  /** Edges whose counts are missing, for people. */
  readonly unread: readonly string[];
}

export type NextStep =
  /** The step goes on. */
  | { readonly kind: 'stay' }
  /** The step's time is over, or can't be judged: it goes on nevertheless. */
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'forward'; readonly step: number; readonly reason: string }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'roll-back'; readonly reason: string };

/**
 * What comes next:
 *
 * 1. A gate that fails rolls back, at any time: more counts from edges that are missing would
 *    not take it back.
 * 2. An edge that can't be read holds, since nobody knows what its visitors get.
 * 3. Before the step's time is over it goes on.
 * 4. A gate that has seen too little holds.
 * 5. Else it goes forward; from the last step, the ramp is done.
 */
export function nextStep(progress: RampProgress, { readings, unread }: Sight, now: Date): NextStep {
  const failed = readings.filter(({ verdict }) => verdict === 'fail');
  if (failed.length > 0) return { kind: 'roll-back', reason: failed.map(told).join('; ') };
  if (unread.length > 0) return { kind: 'hold', reason: unreadReason(unread) };
  if (now.getTime() < dueAt(progress).getTime()) return { kind: 'stay' };
  const silent = readings.filter(({ verdict }) => verdict === 'too-few');
  if (silent.length > 0) {
    return { kind: 'hold', reason: `too little traffic: ${silent.map(told).join('; ')}` };
  }
  const { step, steps } = progress;
  const reason = 'all gates pass';
  return step + 1 < steps.length
    ? { kind: 'forward', step: step + 1, reason }
    : { kind: 'finish', reason };
}

/** Why nothing can be said while edges are missing. */
export function unreadReason(unread: readonly string[]): string {
  return unread.length === 0 ? 'no edge was read yet' : `can not read ${unread.join('; ')}`;
}

/** When the step in force has lasted as long as it has to. */
export function dueAt({ steps, step, stepSince }: RampProgress): Date {
  return new Date(stepSince.getTime() + (steps[step]?.for ?? 0));
}

/** Whether a ramp still acts. */
export function isUnderWay(status: RampState['status']): boolean {
  return status === 'stepping' || status === 'holding';
}

function told({ gate, variant, detail }: GateReading): string {
  return `${gate}${variant === undefined ? '' : ` of ${variant}`}: ${detail}`;
}
