/**
 * Adjusts p-values of several comparisons for being several (Holm 1979): when each is compared
 * with alpha, the chance of any false alarm among all stays below alpha.
 *
 * @returns the adjusted values, in the order given
 */
export function holm(values: readonly number[]): number[] {
  const adjusted = values.map(() => 1);
  let largest = 0;
  const ranked = [...values.entries()].toSorted(([, a], [, b]) => a - b);
  for (const [rank, [index, value]] of ranked.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * value));
    adjusted[index] = largest;
  }
  return adjusted;
}
