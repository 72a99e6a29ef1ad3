const UNITS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** The milliseconds of a length of time such as `250ms` or `7d`; undefined for a text that is none. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const length = unit === undefined ? undefined : UNITS.get(unit);
  return length === undefined ? undefined : Number(digits) * length;
}
