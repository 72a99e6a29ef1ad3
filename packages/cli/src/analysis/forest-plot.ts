/** Limits of a lift as a line, on one scale for all variants. */
export interface Whisker {
  /** null: the likeliest lift is not known. */
  readonly estimate: number | null;
  /** From -1. */
  readonly low: number;
  /** null: there is none. */
  readonly high: number | null;
}

export interface ForestPlot {
  /** Names the ends of the scale, and where no lift is. */
  readonly axis: string;
  /** In the order given. */
  readonly lines: readonly string[];
}

/** Beyond these, a line ends in an arrow. */
const LOWEST = -0.9;
const HIGHEST = 9;
/** So that a scale has a length. */
const NARROWEST = 0.001;

/**
 * Draws a forest plot: `├──●─┼──┤`, with a bar where there is no lift. The scale is logarithmic,
 * so that half as much and twice as much are as far away.
 *
 * @param width in columns, from 20
 */
export function forestPlot(whiskers: readonly Whisker[], width: number): ForestPlot {
  const start = Math.min(-NARROWEST, ...whiskers.map(({ low }) => Math.max(low, LOWEST)));
  const end = Math.max(
    NARROWEST,
    ...whiskers.map(({ high }) => Math.min(high ?? HIGHEST, HIGHEST)),
  );
  const [first, last] = [Math.log1p(start), Math.log1p(end)];
  const column = (lift: number): number => {
    const place = (Math.log1p(Math.max(lift, LOWEST)) - first) / (last - first);
    return Math.round(Math.min(1, Math.max(0, place)) * (width - 1));
  };
  const zero = column(0);

  return {
    axis: axisOf([tick(start), '0', tick(end)], zero, width),
    lines: whiskers.map(({ estimate, low, high }) => {
      const [from, to] = [column(low), column(high ?? HIGHEST)];
      const cells = Array.from({ length: width }, (_, at): string => {
        const isInside = at >= from && at <= to;
        if (at === zero) return isInside ? '┼' : '│';
        return isInside ? '─' : ' ';
      });
      cells[from] = low < start ? '←' : from === zero ? (cells[from] ?? '') : '├';
      cells[to] = (high ?? Infinity) > end ? '→' : to === zero ? (cells[to] ?? '') : '┤';
      if (estimate !== null) cells[column(estimate)] = '●';
      return cells.join('').trimEnd();
    }),
  };
}

function tick(lift: number): string {
  const percent = 100 * lift;
  const digits = Math.abs(percent) < 1 ? 1 : 0;
  return `${percent > 0 ? '+' : ''}${percent.toFixed(digits)} %`;
}

/** The start on the left, the end on the right, and the zero in its place where there is room. */
function axisOf(
  [start = '', middle = '', end = '']: string[],
  zero: number,
  width: number,
): string {
  const [first, last] = [zero === 0 ? middle : start, zero === width - 1 ? middle : end];
  const hasRoom = zero > first.length && zero + middle.length < width - last.length;
  const left = hasRoom ? `${first.padEnd(zero)}${middle}` : first;
  return `${left}${last.padStart(width - left.length)}`;
}
