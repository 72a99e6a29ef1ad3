import type { Analysis, OpenVerdict, Warning } from '@turnout/stats';
import { count } from '../numbers.ts';

/**
 * The verdict as sentences. It says what the plan allows to be said: nothing is better before a
 * rule fires, and a difference that was not found is not called none.
 *
 * @param isBrokenToo whether the verdict is told although the split is broken
 */
export function verdictWords(analysis: Analysis, isBrokenToo: boolean): string[] {
  const { verdict } = analysis;
  if (verdict.kind !== 'withheld') return openWords(verdict, analysis);
  const withheld = 'No verdict: visitors were not split as planned, so the arms can’t be compared.';
  return isBrokenToo
    ? [withheld, 'If the split were as planned:', ...openWords(verdict.otherwise, analysis)]
    : [withheld, '--despite-split shows what it would be.'];
}

function openWords(verdict: OpenVerdict, analysis: Analysis): string[] {
  const { control, plan, visitors } = analysis;
  if (verdict.kind === 'decided') {
    return [
      ...verdict.better.map((key) => `${key} converts better than ${control}.`),
      ...verdict.worse.map((key) => `${key} converts worse than ${control}.`),
      ...(verdict.open.length > 0 ? [`Not decided yet: ${verdict.open.join(', ')}.`] : []),
    ];
  }
  switch (verdict.reason) {
    case 'no-arms':
      return ['There are no arms.'];
    case 'one-arm':
      return ['There is one arm, and nothing to compare it with.'];
    case 'control-missing':
      return ['Control is not among the arms, so nothing is compared.'];
    case 'planned-size-reached':
      return [
        'Not decided: the plan is at its end, and what was counted can still be chance. The intervals tell how large a lift may be.',
      ];
    default:
      return [
        plan.plannedVisitors === null || plan.kind === 'open-ended'
          ? 'Not decided yet: what was counted can still be chance.'
          : `Not decided yet: the plan looks at ${count(plan.plannedVisitors)} visitors, and there are ${count(visitors)}.`,
      ];
  }
}

/** One sentence for each warning. */
export function warningWords(warning: Warning): string {
  switch (warning.kind) {
    case 'few-conversions':
      return `${warning.key} has fewer than 25 conversions (${count(warning.conversions)}): intervals are wide, chances shaky.`;
    case 'weights-changed':
      return 'Weights changed: rates of arms mix both times, comparisons do not.';
    default:
      return `The single look is taken at ${count(warning.visitors)} visitors, later than planned; give the counts of then as plan.atPlannedSize.`;
  }
}
