import type { Style } from '../terminal.ts';
import type { Examined } from './examination.ts';
import type { Finding } from './finding.ts';

export interface Tally {
  readonly errors: number;
  readonly warnings: number;
}

export function tallyOf(examined: readonly Examined[]): Tally {
  const findings = examined.flatMap((check) => check.findings);
  const count = (level: Finding['level']) =>
    findings.filter((finding) => finding.level === level).length;
  return { errors: count('error'), warnings: count('warning') };
}

const MARKS = {
  ok: { mark: '✓', style: 'green' },
  warning: { mark: '!', style: 'yellow' },
  error: { mark: '✗', style: 'red' },
} as const;

/** For people: grouped by check, what is wrong with what to do, and a summary. */
export function reportText(
  examined: readonly Examined[],
  paint: (style: Style, words: string) => string,
): string {
  const tell = (finding: Finding): string => {
    const { mark, style } = MARKS[finding.level];
    const head = `  ${paint(style, mark)} ${finding.where}`;
    if (finding.level === 'ok') return `${head}: ${finding.got}\n`;
    const lines = [
      ['expected', finding.expected],
      ['got', finding.got],
      ['fix', finding.fix],
    ] as const;
    return `${head}\n${lines
      .map(([name, text]) => `      ${paint('dim', name.padEnd(8))} ${text}\n`)
      .join('')}`;
  };
  const groups = examined
    .filter(({ findings }) => findings.length > 0)
    .map(({ title, findings }) => `${paint('bold', title)}\n${findings.map(tell).join('')}\n`);
  return groups.join('') + summary(tallyOf(examined));
}

function summary({ errors, warnings }: Tally): string {
  if (errors === 0 && warnings === 0) return 'Nothing to mend.';
  return `${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** For scripts. */
export function reportJson(examined: readonly Examined[]): string {
  const { errors, warnings } = tallyOf(examined);
  const checks = examined.map(({ name, findings }) => ({ name, findings }));
  return JSON.stringify({ errors, warnings, checks }, null, 2);
}
