import { usageError } from './command-error.ts';

/**
 * Reads weights such as `control=50`, `A=20`.
 *
 * @throws {CommandError} for a text that is none, a variant that is there twice, or a total
 *   that is not 100
 */
export function parseWeights(texts: readonly string[]): Record<string, number> {
  const weights = new Map<string, number>();
  for (const text of texts) {
    const [, variant = '', digits] = /^([^=]+)=(\d+(?:\.\d+)?)%?$/.exec(text) ?? [];
    if (digits === undefined) {
      throw usageError(`Expected VARIANT=PERCENT such as A=20, got "${text}".`);
    }
    if (weights.has(variant)) throw usageError(`Expected each variant once, got ${variant} twice.`);
    weights.set(variant, Number(digits));
  }
  // In hundredths: 33.3 + 33.3 + 33.4 is not 100 in floats.
  const total = [...weights.values()].reduce((sum, weight) => sum + Math.round(weight * 100), 0);
  if (total !== 10_000) {
    throw usageError(
      `Expected all variants with 100 % in total, got ${texts.join(' ') || 'nothing'} = ${total / 100} %.`,
    );
  }
  return Object.fromEntries(weights);
}
