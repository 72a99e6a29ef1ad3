import { likeliestLift, type ConversionSegment, type LiftLimits } from './always-valid.ts';
import type {
  AlwaysValid,
  Comparison,
  Decision,
  OpenVerdict,
  PlanReading,
  SingleLook,
} from './analysis.ts';
import type { Figure } from './figure.ts';
import { firedRule } from './plan.ts';
import type { Pair } from './single-look.ts';
import { pooledZ } from './single-look.ts';

/** What was decided of one variant, and by which rule of the plan. */
export function decide(
  plan: PlanReading,
  running: Figure<AlwaysValid>,
  singleLook: Figure<SingleLook>,
  counted: {
    readonly conversions: readonly ConversionSegment[];
    readonly look: readonly Pair[];
    /** Of the lift, by all looks so far. */
    readonly limits: LiftLimits;
  },
): Decision {
  const rule = firedRule(
    { running: plan.runningAlpha, final: plan.finalAlpha },
    {
      running: running.kind === 'known' ? running.adjustedP : 1,
      final:
        plan.isPlannedSizeReached && singleLook.kind === 'known' ? singleLook.adjustedP : undefined,
    },
  );
  if (rule === undefined) return { kind: 'open' };
  if (rule === 'always-valid') return decided(rule, isAbove(counted));
  const test = pooledZ(counted.look);
  return decided(rule, test.kind === 'known' && test.z > 0);
}

/** The side on which the rule fired, whatever the counts say since: its p stays as well. */
function isAbove({
  conversions,
  limits: { low, high },
}: {
  readonly conversions: readonly ConversionSegment[];
  readonly limits: LiftLimits;
}): boolean {
  if (low > 0) return true;
  if (high !== null && high < 0) return false;
  // Without a number the lift is infinite: control has no conversions, the variant has.
  return (likeliestLift(conversions) ?? 1) > 0;
}

function decided(rule: 'always-valid' | 'single-look', isBetter: boolean): Decision {
  return { kind: 'decided', rule, direction: isBetter ? 'better' : 'worse' };
}

/** What the whole experiment says, by what its plan allows to be said. */
export function verdictOf(
  arms: number,
  hasControl: boolean,
  plan: PlanReading,
  comparisons: readonly Pick<Comparison, 'key' | 'decision'>[],
): OpenVerdict {
  if (arms === 0) return { kind: 'undecided', reason: 'no-arms' };
  if (!hasControl) return { kind: 'undecided', reason: 'control-missing' };
  if (comparisons.length === 0) return { kind: 'undecided', reason: 'one-arm' };
  const keys = (direction?: 'better' | 'worse'): string[] =>
    comparisons.flatMap(({ key, decision }) =>
      (decision.kind === 'decided' ? decision.direction : undefined) === direction ? [key] : [],
    );
  const [better, worse, open] = [keys('better'), keys('worse'), keys()];
  if (better.length + worse.length > 0) return { kind: 'decided', better, worse, open };
  const isOver = plan.kind !== 'open-ended' && plan.isPlannedSizeReached;
  return { kind: 'undecided', reason: isOver ? 'planned-size-reached' : 'running' };
}
