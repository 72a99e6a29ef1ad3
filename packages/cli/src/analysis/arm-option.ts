import { usageError } from '../command-error.ts';

interface Arm {
  readonly key: string;
  readonly weight: number;
  readonly visitors: number;
  readonly conversions: number;
}

/**
 * Reads `key=weight:visitors:conversions`; what stands before the last `=` is the key.
 *
 * @throws {CommandError} for a text that is none
 */
export function readArm(text: string): Arm {
  const [, key, ...numbers] = /^(.+)=([^:]*):([^:]*):([^:]*)$/.exec(text) ?? [];
  const [weight, visitors, conversions] = numbers.map(readNumber);
  if (
    key === undefined ||
    weight === undefined ||
    visitors === undefined ||
    conversions === undefined
  ) {
    throw usageError(
      `Expected an arm as key=weight:visitors:conversions, such as next=50:1000:61, got "${text}".`,
    );
  }
  return { key, weight, visitors, conversions };
}

function readNumber(text: string): number | undefined {
  return /^\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
