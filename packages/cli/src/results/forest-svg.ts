import type { Whisker } from '../analysis/forest-plot.ts';
import { escapeHtml } from './escape-html.ts';

export interface NamedWhisker extends Whisker {
  readonly name: string;
  /** Of the interval, as it is told in words too. */
  readonly words: string;
}

const WIDTH = 640;
const HEIGHT = 24;
const MARGIN = 16;
/** Beyond these, a line ends at the border. */
const LOWEST = -0.9;
const HIGHEST = 9;

/**
 * Draws lifts with their intervals, each below its words, on one logarithmic scale around a line
 * where no lift is. Words are no part of the drawings, which are as wide as the page: on a phone
 * they would shrink with it.
 */
export function forestSvg(whiskers: readonly NamedWhisker[]): string {
  const start = Math.min(-0.05, ...whiskers.map(({ low }) => Math.max(low, LOWEST)));
  const end = Math.max(0.05, ...whiskers.map(({ high }) => Math.min(high ?? HIGHEST, HIGHEST)));
  const [first, last] = [Math.log1p(start), Math.log1p(end)];
  const place = (lift: number): string => {
    const share = (Math.log1p(Math.max(lift, LOWEST)) - first) / (last - first);
    return (MARGIN + Math.min(1, Math.max(0, share)) * (WIDTH - 2 * MARGIN)).toFixed(1);
  };
  const upright = (kind: string, lift: number, from: number, to: number): string =>
    `<line class="${kind}" x1="${place(lift)}" x2="${place(lift)}" y1="${from}" y2="${to}"/>`;
  const rows = whiskers.map(({ name, low, high, estimate, words }) => {
    const middle = HEIGHT / 2;
    const line = `<line class="whisker" x1="${place(low)}" x2="${place(high ?? HIGHEST)}" y1="${middle}" y2="${middle}"/>`;
    const mark = estimate === null ? '' : upright('estimate', estimate, middle - 6, middle + 6);
    return `<div class="lift"><p>${escapeHtml(name)}: ${escapeHtml(words)}</p>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${upright('zero', 0, 0, HEIGHT)}${line}${mark}</svg></div>`;
  });
  return `${rows.join('\n')}
<p class="soft">The dashed line is where there is no lift.</p>`;
}
