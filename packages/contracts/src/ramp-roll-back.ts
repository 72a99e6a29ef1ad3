/**
 * Where a ramp rolls back to: the coverage that there was. One that begins by lowering the
 * coverage, or with the one that there is, goes back to nobody instead: a breach must leave fewer
 * visitors to the variant than had it.
 */
export function coverageToRollBackTo(
  coverage: number,
  steps: readonly { readonly coverage: number }[],
): number {
  const [first] = steps;
  return first !== undefined && first.coverage <= coverage ? 0 : coverage;
}
