import type { Whisker } from '../analysis/forest-plot.ts';
import { escapeHtml } from './escape-html.ts';

export interface NamedWhisker extends Whisker {
  readonly name: string;
  /** Of the interval, as it is told in words too. */
  readonly words: string;
}

const WIDTH = 640;
const ROW = 34;
const MARGIN = 16;
/** Beyond these, a line ends at the border. */
const LOWEST = -0.9;
const HIGHEST = 9;

/** Draws lifts with their intervals, on one logarithmic scale, around a line where no lift is. */
export function forestSvg(whiskers: readonly NamedWhisker[]): string {
  const start = Math.min(-0.05, ...whiskers.map(({ low }) => Math.max(low, LOWEST)));
  const end = Math.max(0.05, ...whiskers.map(({ high }) => Math.min(high ?? HIGHEST, HIGHEST)));
  const [first, last] = [Math.log1p(start), Math.log1p(end)];
  const place = (lift: number): string => {
    const share = (Math.log1p(Math.max(lift, LOWEST)) - first) / (last - first);
    return (MARGIN + Math.min(1, Math.max(0, share)) * (WIDTH - 2 * MARGIN)).toFixed(1);
  };
  const height = ROW * whiskers.length + 24;
  const rows = whiskers.map(({ name, low, high, estimate, words }, index) => {
    const y = ROW * index + 24;
    const label = `<text x="${MARGIN}" y="${y - 8}">${escapeHtml(name)}: ${escapeHtml(words)}</text>`;
    const line = `<line class="whisker" x1="${place(low)}" x2="${place(high ?? HIGHEST)}" y1="${y}" y2="${y}"/>`;
    const dot =
      estimate === null ? '' : `<circle class="estimate" cx="${place(estimate)}" cy="${y}" r="5"/>`;
    return label + line + dot;
  });
  const zero = place(0);
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Lifts with their intervals">
<line class="zero" x1="${zero}" x2="${zero}" y1="0" y2="${height - 18}"/>
<text class="zero-name" x="${zero}" y="${height - 4}" text-anchor="middle">no lift</text>
${rows.join('\n')}
</svg>`;
}
