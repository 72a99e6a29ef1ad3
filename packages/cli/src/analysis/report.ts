import type { Analysis, Comparison, Figure, Reason } from '@turnout/stats';
import {
  chance,
  decimals,
  percentage,
  points,
  probability,
  signedPercentage,
} from '@turnout/stats/precision';
import { count, percent } from '../numbers.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { forestPlot, type Whisker } from './forest-plot.ts';
import { verdictWords, warningWords } from './verdict-words.ts';

export interface ReportOptions {
  /** Tells the verdict although the split is broken. */
  readonly despiteSplit: boolean;
}

const PLOT_WIDTH = 36;
const NARROWEST_PLOT = 20;

/** An analysis as people read it: the verdict first, then what it rests on. */
export function showAnalysis(
  analysis: Analysis,
  { style, columns }: Pick<Terminal, 'style' | 'columns'>,
  { despiteSplit }: ReportOptions,
): string {
  const { warnings } = analysis;
  const sections = [
    style('bold', verdictWords(analysis, despiteSplit).join('\n')),
    warnings.map((warning) => style('yellow', `! ${warningWords(warning)}`)).join('\n'),
    ...figureSections(analysis, columns),
    splitLines(analysis).join('\n'),
    powerLine(analysis),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** What tables and plots are made from. */
export type Figures = Pick<Analysis, 'arms' | 'comparisons' | 'control' | 'alpha'>;

/** Arms and comparisons, each as a table or a plot. */
export function figureSections(figures: Figures, columns: number | undefined): string[] {
  const { arms, comparisons } = figures;
  if (arms.length === 0) return [];
  if (comparisons.length === 0) return [armTable(figures, columns)];
  return [
    armTable(figures, columns),
    liftPlot(figures, columns),
    singleLooks(figures, columns),
    posteriorTable(figures, columns),
  ];
}

function armTable({ arms, alpha }: Figures, width: number | undefined): string {
  const weights = arms.reduce((sum, { weight }) => sum + weight, 0);
  return table(
    [
      { title: 'ARM' },
      { title: 'WEIGHT', align: 'right' },
      { title: 'VISITORS', align: 'right' },
      { title: 'CONVERSIONS', align: 'right' },
      { title: 'RATE', align: 'right' },
      { title: sureness(alpha) },
    ],
    arms.map(({ key, isControl, weight, visitors, conversions, rate }) => {
      return [
        isControl ? `${key} (control)` : key,
        weights === 0 ? '' : percent(weight / weights),
        count(visitors),
        count(conversions),
        ...rateCells(rate),
      ];
    }),
    width,
  );
}

/** A rate, and its interval. */
export function rateCells(
  rate: Analysis['arms'][number]['rate'],
): [rate: string, interval: string] {
  if (rate.kind === 'unknown') return ['', REASONS[rate.reason]];
  const { estimate, low, high } = rate;
  const places = decimals((high - low) / 2, [low, high]);
  return [
    percentage(estimate, places),
    `${percentage(low, places)} to ${percentage(high, places)}`,
  ];
}

/** The always-valid comparison: one line for each variant. */
function liftPlot(analysis: Figures, width: number | undefined): string {
  const { comparisons, control, alpha } = analysis;
  const lifts = comparisons.map(({ alwaysValid }) =>
    alwaysValid.kind === 'known' ? alwaysValid.lift : alwaysValid,
  );
  const names = Math.max(...comparisons.map(({ key }) => key.length), 'VARIANT'.length);
  const room = width === undefined ? PLOT_WIDTH : width - names - 45;
  const known = lifts.flatMap((lift) => (lift.kind === 'known' ? lift : []));
  const plot = forestPlot(known, Math.min(PLOT_WIDTH, Math.max(NARROWEST_PLOT, room)));
  const lines = plot.lines.values();
  const rows = comparisons.map(({ key, alwaysValid }, index) => {
    const lift = lifts[index];
    if (alwaysValid.kind === 'unknown') return [key, '', '', REASONS[alwaysValid.reason]];
    if (lift === undefined) return [key];
    const p = probability(alwaysValid.adjustedP);
    if (lift.kind === 'unknown') return [key, '', '', REASONS[lift.reason], p];
    const { estimate, range } = liftWords(lift);
    return [key, lines.next().value ?? '', estimate, range, p];
  });
  return [
    `Lift over ${control}, however often it is looked at:`,
    table(
      [
        { title: 'VARIANT' },
        { title: plot.axis },
        { title: 'LIFT', align: 'right' },
        { title: sureness(alpha) },
        { title: titleOfP(comparisons), align: 'right' },
      ],
      rows,
    ),
  ].join('\n');
}

/** A lift that the always-valid comparison tells, with as many digits as are known. */
export function liftWords({ estimate, low, high }: Whisker): {
  readonly estimate: string;
  readonly range: string;
} {
  const spread = ((high ?? Math.abs(low)) - low) / 2;
  const places = decimals(spread, [low, high ?? 0]);
  const end = high === null ? 'no limit' : signedPercentage(high, places);
  return {
    estimate: estimate === null ? '' : signedPercentage(estimate, decimals(spread)),
    range: `${signedPercentage(low, places)} to ${end}`,
  };
}

function singleLooks({ comparisons, alpha }: Figures, width: number | undefined): string {
  return [
    'By a single look, at the planned size and not before:',
    table(
      [
        { title: 'VARIANT' },
        { title: `DIFFERENCE, ${sureness(alpha)}` },
        { title: `LIFT, ${sureness(alpha)}` },
        { title: 'TEST' },
        { title: titleOfP(comparisons), align: 'right' },
      ],
      comparisons.map(({ key, difference, lift, singleLook }) => [
        key,
        interval(difference).replaceAll(' %', ' points'),
        interval(lift),
        singleLook.kind === 'known' ? singleLook.method : REASONS[singleLook.reason],
        singleLook.kind === 'known' ? probability(singleLook.adjustedP) : '',
      ]),
      width,
    ),
  ].join('\n');
}

function posteriorTable({ arms, comparisons }: Figures, width: number | undefined): string {
  const beats = (key: string): string => {
    const posterior = comparisons.find((one) => one.key === key)?.posterior;
    return posterior?.kind === 'known' ? chance(posterior.chanceToBeatControl) : '';
  };
  return [
    'Bayesian, not protected against peeking:',
    table(
      [
        { title: 'ARM' },
        { title: 'BEATS CONTROL', align: 'right' },
        { title: 'IS BEST', align: 'right' },
        { title: 'EXPECTED LOSS', align: 'right' },
      ],
      arms.map(({ key, posterior }) =>
        posterior.kind === 'known'
          ? [key, beats(key), chance(posterior.chanceToBeBest), points(posterior.expectedLoss)]
          : [key, REASONS[posterior.reason]],
      ),
      width,
    ),
  ].join('\n');
}

function splitLines({ sampleRatio, stages, slices, fallbacks }: Analysis): string[] {
  const { test, smallestP, isBroken, arms } = sampleRatio;
  const p = smallestP === null ? '' : ` (p ${probability(smallestP)})`;
  const missing = (each: typeof arms): string =>
    each
      .flatMap(({ key, excess }) =>
        excess === null ? [] : [`${key} ${signedPercentage(excess, 1)}`],
      )
      .join(', ');
  const whole = isBroken
    ? `✗ The split is broken${p}: ${missing(arms)} of the visitors expected.`
    : test.kind === 'tested'
      ? `✓ Visitors are split as planned${p}.`
      : 'The split is not tested: there is nobody yet, or one arm.';
  const broken = stages?.stages.find(({ stage }) => stage === stages.firstBroken);
  return [
    whole,
    ...(broken === undefined
      ? []
      : [`✗ Visitors went missing before they were ${broken.stage}: ${missing(broken.arms)}.`]),
    ...slices.flatMap(({ dimension, broken: values, explains }) => {
      if (values.length === 0) return [];
      const rest = explains ? 'the rest is split as planned' : 'the rest is too, or there is none';
      return [`✗ By ${dimension}, the split is broken for ${values.join(', ')}; ${rest}.`];
    }),
    ...(fallbacks?.comparisons ?? []).flatMap(({ key, isDifferent, adjustedP }) =>
      isDifferent
        ? [
            `✗ ${key} is served by another upstream at another rate than control (p ${probability(adjustedP)}).`,
          ]
        : [],
    ),
  ];
}

export function powerLine({ power, comparisons }: Pick<Analysis, 'power' | 'comparisons'>): string {
  const found = comparisons.flatMap(({ key, detectable }: Comparison) =>
    detectable.kind === 'known'
      ? [`${key} ${signedPercentage(detectable.lift, decimals(detectable.lift / 10))}`]
      : [],
  );
  const strength = Math.round(100 * power.power);
  const { sampleSize, daysLeft } = power;
  return [
    ...(found.length > 0
      ? [`So many visitors find, ${strength} times of 100, a lift from: ${found.join(', ')}.`]
      : []),
    ...(sampleSize.kind === 'known'
      ? [`The minimum lift takes ${count(sampleSize.visitors)} visitors.`]
      : []),
    ...(daysLeft.kind === 'known'
      ? [`Days left at the present traffic: ${count(Math.ceil(daysLeft.days))}.`]
      : []),
  ].join('\n');
}

function interval(figure: Figure<Limits>): string {
  return figure.kind === 'unknown' ? REASONS[figure.reason] : intervalWords(figure);
}

interface Limits {
  readonly low: number;
  readonly high: number;
}

function intervalWords({ low, high }: Limits): string {
  const places = decimals((high - low) / 2, [low, high]);
  return `${signedPercentage(low, places)} to ${signedPercentage(high, places)}`;
}

/** Of several comparisons each p is adjusted for the others. */
function titleOfP(comparisons: readonly Comparison[]): string {
  return comparisons.length > 1 ? 'P (HOLM)' : 'P';
}

function sureness(alpha: number): string {
  return `${Number((100 * (1 - alpha)).toPrecision(6))} % INTERVAL`;
}

export const REASONS: Readonly<Record<Reason, string>> = {
  'no-visitors': 'no visitors',
  'no-conversions': 'an arm has no conversions',
  'no-variance': 'all or none converted',
  'not-compared': 'never ran beside control',
  'no-lift-fits': 'no lift fits all that was seen',
  'cells-large-enough': 'not needed',
  'before-planned-size': 'hidden until the planned size',
  'split-broken': 'withheld, as the split is broken',
  'no-baseline': 'control has no rate between 0 and 100 %',
  'no-minimum-lift': 'no minimum lift given',
  'no-traffic': 'no traffic given',
  'out-of-reach': 'out of reach',
};
