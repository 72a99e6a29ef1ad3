import type { PopulationAnalysis, Trust } from '@turnout/contracts/results';
import type { Analysis, Comparison, OpenVerdict } from '@turnout/stats';
import { decimals, probability, signedPercentage } from '@turnout/stats/precision';

/**
 * One sentence of verdict. It says what the plan allows to be said, and never that there is no
 * difference: what is not decided is open.
 */
export function verdictSentence(analysis: PopulationAnalysis): string {
  const { verdict } = analysis;
  if (verdict.kind !== 'withheld') return openSentence(verdict, analysis);
  const withheld =
    'The verdict is withheld: visitors are not split as planned, so that the variants can not be compared.';
  if (verdict.otherwise === undefined) return withheld;
  return `${withheld} If one could trust the split: ${openSentence(verdict.otherwise, analysis)}`;
}

function openSentence(
  verdict: OpenVerdict,
  { comparisons, control, visitors, plan }: PopulationAnalysis,
): string {
  if (verdict.kind === 'decided') {
    const { better, worse, open } = verdict;
    const parts = [
      ...better.map((key) => `${key} converts better than ${control}${liftOf(key, comparisons)}`),
      ...worse.map((key) => `${key} converts worse than ${control}${liftOf(key, comparisons)}`),
      ...(open.length > 0
        ? [`${open.join(' and ')} ${open.length > 1 ? 'are' : 'is'} not decided`]
        : []),
    ];
    return `${parts.join('; ')}.`;
  }
  if (visitors === 0) return 'Nobody has been counted yet.';
  switch (verdict.reason) {
    case 'no-arms':
    case 'one-arm':
      return 'There is only one variant: nothing can be compared.';
    case 'control-missing':
      return 'There is no control to compare with.';
    case 'planned-size-reached':
      return `The planned size is reached and nothing is decided; a difference that is too small for so many visitors may be there${ranges(comparisons)}.`;
    default:
      return plan.kind === 'fixed'
        ? `Nothing is decided before the planned size is reached: ${visitors} of ${plan.plannedVisitors ?? 0} visitors are there.`
        : `Nothing is decided yet${ranges(comparisons)}.`;
  }
}

/**
 * What is known of a lift, by the rule that decided: its interval is the one that leaves out 0.
 * Where neither does, no lift is told.
 */
function liftOf(wanted: string, comparisons: readonly Comparison[]): string {
  const comparison = comparisons.find(({ key }) => key === wanted);
  if (comparison?.decision.kind !== 'decided') return '';
  const { decision, lift } = comparison;
  const limits = decision.rule === 'always-valid' ? limitsOf(comparison) : lift;
  if (limits?.kind !== 'known') return '';
  const isClear = limits.low > 0 || (limits.high !== null && limits.high < 0);
  return isClear ? `, with a lift ${rangeWords(limits)}` : '';
}

function ranges(comparisons: readonly Comparison[]): string {
  const known = comparisons.flatMap((comparison) => {
    const range = rangeOf(comparison);
    return range === undefined ? [] : [`${range} for ${comparison.key}`];
  });
  return known.length === 0 ? '' : `: the lift over control may be anything ${known.join(' and ')}`;
}

/** From the always-valid comparison, which holds at any time. */
function rangeOf(comparison: Comparison): string | undefined {
  const limits = limitsOf(comparison);
  return limits?.kind === 'known' ? rangeWords(limits) : undefined;
}

function limitsOf({ alwaysValid }: Comparison) {
  return alwaysValid.kind === 'known' ? alwaysValid.lift : undefined;
}

function rangeWords({ low, high }: { readonly low: number; readonly high: number | null }): string {
  const places = decimals(((high ?? Math.abs(low)) - low) / 2, [low, high ?? 0]);
  const from = `from ${signedPercentage(low, places)}`;
  return high === null ? `${from} upwards` : `${from} to ${signedPercentage(high, places)}`;
}

const STAGE_WORDS: Readonly<Record<string, string>> = {
  assigned: 'before their first page: an assignment or its exposure is lost',
  served: 'between assignment and page: control stands in for one variant more often',
  confirmed: 'before they come back: cookies of one variant come back less often',
  reported: 'before they report: results of one variant are sent less often, or more',
};

/** What the split says of itself, and where visitors went missing. */
export function trustOf({ sampleRatio, stages, slices }: Analysis): Trust {
  const { test, isBroken, smallestP } = sampleRatio;
  const findings = [
    ...(stages?.firstBroken === undefined || stages.firstBroken === null
      ? []
      : [`Visitors went missing ${STAGE_WORDS[stages.firstBroken] ?? stages.firstBroken}.`]),
    ...slices
      .filter(({ broken }) => broken.length > 0)
      .map(
        ({ dimension, broken, explains }) =>
          `By ${dimension}, the split is off at ${broken.join(', ')}${explains ? '; without that it is as planned' : ''}.`,
      ),
  ];
  if (isBroken) {
    const p = smallestP === null ? '' : ` (p ${probability(smallestP)})`;
    return {
      level: 'broken',
      sentence: `The split is broken${p}: visitors are not spread as the weights say.`,
      findings,
    };
  }
  if (test.kind === 'untestable') {
    return { level: 'untested', sentence: 'The split can not be tested yet.', findings };
  }
  return {
    level: 'sound',
    sentence: `The split is as planned (p ${probability(smallestP ?? test.p)}).`,
    findings,
  };
}
