/** Figures with as many digits as are known, and no more. */

/** How many decimals of a figure are worth telling when it is uncertain by so much. */
function decimals(uncertainty: number): number {
  if (!(uncertainty > 0)) return 0;
  return Math.min(6, Math.max(0, Math.ceil(-Math.log10(uncertainty))));
}

/**
 * Shares as percentages, all with the same decimals: `['4.7 %', '5.3 %']`. There are more of them
 * where a limit would look like 0 and is not: it matters on which side of 0 it is.
 *
 * @param uncertainty half the width of their interval
 */
export function percentages(shares: readonly number[], uncertainty: number): string[] {
  let places = decimals(100 * uncertainty);
  const most = places + 2;
  while (places < most && shares.some((share) => share !== 0 && isZero(100 * share, places))) {
    places += 1;
  }
  return shares.map((share) => `${fixed(100 * share, places)} %`);
}

/** The same with a sign: `['-7 %', '+19 %']`. */
export function signedPercentages(shares: readonly number[], uncertainty: number): string[] {
  return percentages(shares, uncertainty).map((text, index) =>
    (shares[index] ?? 0) > 0 && /[1-9]/.test(text) ? `+${text}` : text,
  );
}

/** `0.14`, `0.0042`, `< 0.0001`: more would say more than a p does. */
export function probability(p: number): string {
  if (p < 0.0001) return '< 0.0001';
  if (p > 0.995) return '1';
  return String(Number(p.toPrecision(2)));
}

/** A chance as a percentage; never 0 or 100, which no posterior says. */
export function chance(share: number): string {
  if (share < 0.001) return '< 0.1 %';
  if (share > 0.999) return '> 99.9 %';
  return `${(100 * share).toFixed(share < 0.01 || share > 0.99 ? 1 : 0)} %`;
}

/** A loss of rate in percentage points, to two digits. */
export function points(loss: number): string {
  const size = 100 * loss;
  return size !== 0 && size < 0.001 ? '< 0.001 points' : `${Number(size.toPrecision(2))} points`;
}

/** Without the sign of a zero. */
function fixed(number: number, places: number): string {
  const text = number.toFixed(places);
  return isZero(number, places) ? text.replace('-', '') : text;
}

function isZero(number: number, places: number): boolean {
  return !/[1-9]/.test(number.toFixed(places));
}
