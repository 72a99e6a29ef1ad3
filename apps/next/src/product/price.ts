/**
 * A price as a shopper reads it: no cents when there are none.
 *
 * @param minor amount in minor units of `currency` (1500 is €15)
 * @param currency ISO 4217 code
 */
export function formatPrice(minor: number, currency: string): string {
  return new Intl.NumberFormat('en-IE', {
    style: 'currency',
    currency,
    trailingZeroDisplay: 'stripIfInteger',
  }).format(minor / 100);
}
