import type { Exclusion, ExperimentResults, Trust } from '@turnout/contracts/results';
import { figureSections, powerLine } from '../analysis/report.ts';
import { count, minute } from '../numbers.ts';
import type { Style, Terminal } from '../terminal.ts';

const SIGNS: Readonly<Record<Trust['level'], [sign: string, style: Style]>> = {
  sound: ['✓', 'green'],
  broken: ['✗', 'red'],
  untested: ['?', 'yellow'],
};

/** Results as people read them on a terminal: trust first, then the verdict and what it rests on. */
export function showResults(
  results: ExperimentResults,
  { style, columns }: Pick<Terminal, 'style' | 'columns'>,
): string {
  const { trust, verdict, warnings, excluded, analyses } = results;
  const [sign, colour] = SIGNS[trust.level];
  const sections = [
    style('bold', headline(results)),
    [`${style(colour, sign)} ${trust.sentence}`, ...trust.findings.map((one) => `  ${one}`)].join(
      '\n',
    ),
    style('bold', verdict),
    ...(isHeldBack(results) ? [HOW_TO_SEE] : []),
    warnings.map(({ message }) => style('yellow', `! ${message}`)).join('\n'),
    style('bold', POPULATION_WORDS.raw),
    ...figureSections(analyses.raw, columns),
    style('bold', POPULATION_WORDS.confirmed),
    ...figureSections(analyses.confirmed, columns).slice(0, 2),
    ['Left out:', ...excluded.map((each) => `  ${exclusionWords(each)}`)].join('\n'),
    powerLine(analyses.raw),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

export const POPULATION_WORDS = {
  raw: 'All visitors, but for declared bots',
  confirmed: 'Confirmed visitors: their cookie came back',
} as const;

const HOW_TO_SEE = '--anyway shows the comparisons all the same.';

/** Whether there are comparisons that are not shown. */
export function isHeldBack({ analyses: { raw } }: ExperimentResults): boolean {
  return raw.verdict.kind === 'withheld' && raw.verdict.otherwise === undefined;
}

/** What the results are of. */
export function headline({ experiment, phase, metric, at }: ExperimentResults): string {
  return `${experiment}, phase ${phase}: ${metric}, ${minute(at)}`;
}

export function exclusionWords({ what, visitors, why }: Exclusion): string {
  return `${visitors === null ? what : `${count(visitors)} ${what}`}: ${why}`;
}
