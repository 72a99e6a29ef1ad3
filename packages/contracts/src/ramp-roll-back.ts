/**
 * Where a ramp rolls back to: the coverage that there was. One that begins by lowering the
 * coverage goes back to nobody instead, since a breach must not bring more visitors.
 */
export function coverageToRollBackTo(
  coverage: number,
  steps: readonly { readonly coverage: number }[],
): number {
  const [first] = steps;
  return first !== undefined && first.coverage < coverage ? 0 : coverage;
}
