import { hash } from 'node:crypto';

/**
 * The slot arithmetic of an experiment. Every draw maps a text to one of 10,000 slots:
 *
 *     slot = uint64_be(SHA-256(text)[0..8]) mod 10000      (text as UTF-8)
 *
 * and every decision asks which half-open integer range holds the slot. Integers
 * cannot leave the gap between neighbours that sums of fractions leave. 2^64 is not a
 * multiple of 10,000; the bias is below 10^-15 and never to be seen.
 */

/** How many slots a draw can land in: one slot is a hundredth of a percent. */
export const SLOTS = 10_000;

/** Half-open range of slots: `[first, end)`. `[n, n]` is empty. */
export type Range = readonly [first: number, end: number];

/**
 * The first word of a draw's text tells the kinds of draw apart, so a salt may not be
 * one of them, nor hold the separator: `layer:1:<id>` would be both the membership of
 * layer "1" and the assignment of salt "layer", and the two would be the same number.
 */
export const RESERVED_SALTS: ReadonlySet<string> = new Set(['layer', 'coverage']);

// 2^32 mod 10000. Lets the 64-bit remainder be taken in doubles, exactly, without BigInt.
const HIGH_WORD = 2 ** 32 % SLOTS;

/** The slot, 0 to 9,999, that a text draws. */
export function drawSlot(text: string): number {
  // Hex is the quickest way out of OpenSSL for a short digest: it allocates no Buffer.
  const digest = hash('sha256', text, 'hex');
  const high = Number.parseInt(digest.slice(0, 8), 16);
  const low = Number.parseInt(digest.slice(8, 16), 16);
  return (high * HIGH_WORD + low) % SLOTS;
}

/** The draw that picks a visitor's variant. A new phase draws again. */
export function slotOf(salt: string, phase: number, id: string): number {
  return drawSlot(`${salt}:${phase}:${id}`);
}

/** The draw that places a visitor in a layer. All experiments of a layer share it. */
export function layerSlot(name: string, id: string): number {
  return drawSlot(`layer:${name}:${id}`);
}

/**
 * The draw that decides whether a visitor takes part. It is apart from the variant's
 * draw, so that raising the coverage moves nobody between variants.
 */
export function coverageSlot(salt: string, phase: number, id: string): number {
  return drawSlot(`coverage:${salt}:${phase}:${id}`);
}

/**
 * Turns weights into neighbouring ranges, in order.
 *
 * @param weights percent, each 0 to 100 with at most two decimals, 100 in total
 * @throws RangeError that names the weight that is wrong, or the sum
 */
export function rangesFromWeights(weights: readonly number[]): Range[] {
  const widths = weights.map((weight, index) => {
    const width = Math.round(weight * 100);
    // 33.33 * 100 is 3333 only up to rounding of the last bit, hence the tolerance.
    if (!(weight >= 0 && weight <= 100) || Math.abs(weight * 100 - width) > 1e-6) {
      throw new RangeError(
        `expected a percentage from 0 to 100 with at most two decimals, got ${weight} (weight ${index + 1})`,
      );
    }
    return width;
  });
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total !== SLOTS) {
    throw new RangeError(
      `weights must add up to 100, got ${weights.join(' + ') || 'none'} = ${total / 100}`,
    );
  }
  let first = 0;
  return widths.map((width) => {
    const range: Range = [first, first + width];
    first += width;
    return range;
  });
}

/**
 * Checks that ranges hold every slot exactly once, in whatever order they come.
 *
 * @throws RangeError that names the gap, the overlap or the range that is none
 */
export function checkPartition(ranges: readonly Range[]): void {
  for (const [first, end] of ranges) {
    if (!(Number.isInteger(first) && Number.isInteger(end) && 0 <= first && first <= end)) {
      throw new RangeError(
        `expected a range [first, end) with integers 0 <= first <= end <= ${SLOTS}, got [${first}, ${end})`,
      );
    }
  }
  let covered = 0;
  for (const [first, end] of ranges.filter(isNotEmpty).toSorted((a, b) => a[0] - b[0])) {
    if (first > covered) {
      throw new RangeError(`slots [${covered}, ${first}) belong to no range`);
    }
    if (first < covered) {
      throw new RangeError(`slots [${first}, ${Math.min(covered, end)}) belong to two ranges`);
    }
    covered = end;
  }
  if (covered !== SLOTS) {
    throw new RangeError(
      covered < SLOTS
        ? `slots [${covered}, ${SLOTS}) belong to no range`
        : `ranges end at slot ${covered}, but there are ${SLOTS} slots`,
    );
  }
}

function isNotEmpty([first, end]: Range): boolean {
  return first < end;
}
