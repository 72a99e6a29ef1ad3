/** Figures with as many digits as are known, and no more. */

/**
 * How many decimals of a percentage are worth telling. There are more of them where a limit would
 * look like 0 and is not: it matters on which side of 0 it is.
 *
 * @param uncertainty half the width of the interval, as a share
 * @param limits of the interval, as shares
 */
export function decimals(uncertainty: number, limits: readonly number[] = []): number {
  const size = 100 * uncertainty;
  const fewest = size > 0 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(size)))) : 0;
  const isTold = (places: number): boolean =>
    limits.every((limit) => limit === 0 || !isZero(100 * limit, places));
  return [fewest, fewest + 1].find(isTold) ?? fewest + 2;
}

/** `4.7 %` of 0.0471 with one decimal. */
export function percentage(share: number, places: number): string {
  return `${fixed(100 * share, places)} %`;
}

/** `+19 %`; -7 and 0 as they are. */
export function signedPercentage(share: number, places: number): string {
  const text = percentage(share, places);
  return share > 0 && /[1-9]/.test(text) ? `+${text}` : text;
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
