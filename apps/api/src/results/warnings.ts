import { isDeepStrictEqual } from 'node:util';
import type { ExperimentDocument } from '@turnout/contracts';
import type { ExperimentCounts, ResultsWarning } from '@turnout/contracts/results';
import type { Analysis } from '@turnout/stats';
import { controlOf } from './look.ts';
import type { Design } from './look.ts';

const DAY = 86_400_000;
/** A week has all its days in it: people convert differently on a Sunday. */
const FULL_DAYS = 7;
/** Of the visitors: more of them in two variants make both alike. */
const IN_TWO_VARIANTS = 0.01;
/** Days beyond which nobody waits for a planned size. */
const LONGEST_WAIT = 90;

/** What to bear in mind before the results are believed. */
export function warningsOf({
  analysis,
  counts,
  design,
  document,
}: {
  /** Of the raw population. */
  readonly analysis: Analysis;
  readonly counts: ExperimentCounts;
  readonly design: Design;
  readonly document: ExperimentDocument;
}): ResultsWarning[] {
  return [
    ...shortness(counts),
    ...analysis.warnings.map((warning): ResultsWarning => {
      if (warning.kind === 'few-conversions') {
        const { kind, key, conversions } = warning;
        return {
          kind,
          message: `${key} has ${conversions} conversions: below 25 little can be said.`,
        };
      }
      if (warning.kind === 'weights-changed') {
        return {
          kind: warning.kind,
          message:
            'The weights were changed: rates of variants mix times with different weights. Comparisons take each time by itself.',
        };
      }
      return {
        kind: warning.kind,
        message: `The single look was to be taken at ${analysis.plan.plannedVisitors ?? 0} visitors; there are ${warning.visitors}.`,
      };
    }),
    ...twoVariants(counts),
    ...reach(analysis),
    ...fallbacks(analysis),
    ...planChanges(design, document, counts.metric),
  ];
}

function shortness({ firstExposure, lastExposure }: ExperimentCounts): ResultsWarning[] {
  if (firstExposure === undefined || lastExposure === undefined) return [];
  const days = Math.floor((Date.parse(lastExposure) - Date.parse(firstExposure)) / DAY);
  if (days >= FULL_DAYS) return [];
  return [
    {
      kind: 'short',
      message: `It has run for ${days} full days: expect other days of the week to differ until there are ${FULL_DAYS}.`,
    },
  ];
}

function twoVariants({ inTwoVariants, variants }: ExperimentCounts): ResultsWarning[] {
  const exposed = variants.reduce((sum, each) => sum + each.exposed, 0);
  if (!(inTwoVariants > exposed * IN_TWO_VARIANTS)) return [];
  return [
    {
      kind: 'in-two-variants',
      message: `${inTwoVariants} of ${exposed} visitors were seen in two variants, more than 1 %. Each counts for the first one, which makes the variants look more alike.`,
    },
  ];
}

function reach({ plan, power }: Analysis): ResultsWarning[] {
  if (plan.kind === 'open-ended' || plan.isPlannedSizeReached) return [];
  const { daysLeft } = power;
  if (daysLeft.kind === 'known' && daysLeft.days <= LONGEST_WAIT) return [];
  const why =
    daysLeft.kind === 'known'
      ? `at the present traffic it takes ${Math.ceil(daysLeft.days)} more days`
      : 'no visitors come at present';
  return [
    {
      kind: 'plan-not-reachable',
      message: `The planned size of ${plan.plannedVisitors ?? 0} visitors is out of reach: ${why}.`,
    },
  ];
}

function fallbacks({ fallbacks: readings }: Analysis): ResultsWarning[] {
  const different = (readings?.comparisons ?? []).filter(({ isDifferent }) => isDifferent);
  return different.map(({ key }) => ({
    kind: 'fallbacks-differ',
    message: `${key} was stood in for more or less often than control: its result is partly about an upstream that fails.`,
  }));
}

function planChanges(
  design: Design,
  document: ExperimentDocument,
  metric: string,
): ResultsWarning[] {
  const { plan } = document;
  if (plan !== undefined && plan.metric !== metric) {
    return [
      {
        kind: 'other-metric',
        message: `The plan decides by ${plan.metric}. ${metric} is compared as an open-ended experiment, and of many metrics one will look good by chance.`,
      },
    ];
  }
  const control = controlOf(document);
  const isOtherControl = design.control !== undefined && design.control !== control;
  const changed = [
    ...(isDeepStrictEqual(plan, design.plan) ? [] : ['plan']),
    ...(isOtherControl ? ['control'] : []),
  ];
  return changed.map((what) => ({
    kind: 'plan-changed',
    message: `The ${what} was changed after the first visitors. The one from before holds for this phase; a new phase begins with the new one.`,
  }));
}
