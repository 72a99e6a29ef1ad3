import stringWidth from 'string-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut where the terminal is too narrow; others never are. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
/** A column is of no use below this. */
const NARROWEST = 8;

/**
 * Lays rows out in columns, as wide as what they hold; no column's end is padded.
 *
 * @param width columns of the terminal; unlimited when undefined
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, index) =>
    Math.max(...[titles, ...rows].map((row) => stringWidth(row[index] ?? ''))),
  );
  const total = widths.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1));
  let excess = width === undefined ? 0 : total - width;
  // The last one first: what matters most stands on the left.
  for (let index = columns.length - 1; index >= 0 && excess > 0; index -= 1) {
    if (columns[index]?.shrinks !== true) continue;
    const wanted = widths[index] ?? 0;
    const given = Math.max(Math.min(wanted, NARROWEST), wanted - excess);
    widths[index] = given;
    excess -= wanted - given;
  }
  return [titles, ...rows]
    .map((row) =>
      columns
        .map(({ align }, index) => {
          const cell = shorten(row[index] ?? '', widths[index] ?? 0);
          const padding = ' '.repeat((widths[index] ?? 0) - stringWidth(cell));
          return align === 'right' ? `${padding}${cell}` : `${cell}${padding}`;
        })
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

/** As much of a text as fits, with an ellipsis for the rest. */
function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept) + stringWidth(segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
