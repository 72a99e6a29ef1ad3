import type { Figure } from './figure.ts';

/** @throws {Error} for one that is not known */
export function known<Known>(figure: Figure<Known> | undefined): Known {
  if (figure?.kind === 'known') return figure;
  throw new Error(`expected a figure, got ${figure?.reason ?? 'nothing'}`);
}

/** @throws {Error} for nothing */
export function present<Value>(value: Value | null | undefined): Value {
  if (value !== null && value !== undefined) return value;
  throw new Error(`expected a value, got ${String(value)}`);
}

interface Tolerance {
  /** Of the expected value. */
  readonly relative: number;
  /** Enough by itself. */
  readonly absolute: number;
}

/** What double precision leaves of figures that were computed in another way. */
const EXACT: Tolerance = { relative: 1e-9, absolute: 1e-12 };

/** A sentence for each figure that is not the expected one; null is only as good as null. */
export function deviations(
  got: readonly (number | null)[],
  expected: readonly (number | null)[],
  { relative, absolute } = EXACT,
): string[] {
  if (got.length !== expected.length) return [`${expected.length} figures, got ${got.length}`];
  return expected.flatMap((wanted, index) => {
    const value = got[index] ?? null;
    const isClose =
      value === null || wanted === null
        ? value === wanted
        : Math.abs(value - wanted) <= Math.max(absolute, relative * Math.abs(wanted));
    return isClose ? [] : [`figure ${index}: expected ${wanted}, got ${value}`];
  });
}
