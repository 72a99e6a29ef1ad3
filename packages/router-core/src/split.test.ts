import { describe, expect, test } from 'vitest';
import { SLOTS, drawSlot, slotOf } from './slots.ts';

/**
 * The statistics of the draw over a million ids: fixed inputs, so fixed results. A test
 * that a fair draw fails once in 10,000 runs either holds for ever or shows a defect.
 */

const VISITORS = 1_000_000;
const SIGNIFICANCE = 1e-4;

/**
 * The probability that a fair draw lies at least this far off (upper tail of chi-squared).
 * For an even number of degrees of freedom it is the Poisson sum, Abramowitz & Stegun 26.4.21.
 */
function chiSquaredTail(statistic: number, degrees: number): number {
  if (degrees % 2 !== 0) throw new RangeError(`Expected even degrees of freedom, got ${degrees}`);
  let term = Math.exp(-statistic / 2);
  let sum = term;
  for (let k = 1; k < degrees / 2; k += 1) {
    term *= statistic / 2 / k;
    sum += term;
  }
  return sum;
}

function chiSquared(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce(
    (sum, count, cell) => sum + (count - (expected[cell] ?? 0)) ** 2 / (expected[cell] ?? 0),
    0,
  );
}

/** Marsaglia's xorshift on 32 bits: random enough to make ids from, and the same everywhere. */
function* words(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

function thirdOf(slot: number): number {
  return Math.floor((slot * 3) / SLOTS);
}

function* sequential(): Generator<string> {
  for (let n = 0; n < VISITORS; n += 1) yield String(n);
}

function* uuids(): Generator<string> {
  const random = words(20261123);
  const hex = (): string => random.next().value.toString(16).padStart(8, '0');
  for (let n = 0; n < VISITORS; n += 1) {
    const [a, b, c, d] = [hex(), hex(), hex(), hex()];
    yield `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
  }
}

test('the tail agrees with published critical values', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4, upper tail 0.001.
  expect(chiSquaredTail(13.816, 2)).toBeCloseTo(0.001, 5);
  expect(chiSquaredTail(18.467, 4)).toBeCloseTo(0.001, 5);
  expect(chiSquaredTail(149.449, 100)).toBeCloseTo(0.001, 5);
});

describe.each([
  { kind: 'sequential ids', ids: sequential },
  { kind: 'UUIDs', ids: uuids },
])('over a million $kind', ({ ids }) => {
  test('slots are uniform and 50/20/30 is what visitors get', () => {
    // 101 bins, for an even 100 degrees of freedom. They hold 99 or 100 slots each.
    const bins = Array.from({ length: 101 }, () => 0);
    const variants = [0, 0, 0];
    for (const id of ids()) {
      const slot = slotOf('home-redesign', 1, id);
      const bin = Math.floor((slot * 101) / SLOTS);
      bins[bin] = (bins[bin] ?? 0) + 1;
      const variant = slot < 5000 ? 0 : slot < 7000 ? 1 : 2;
      variants[variant] = (variants[variant] ?? 0) + 1;
    }
    const binSizes = bins.map(() => 0);
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const bin = Math.floor((slot * 101) / SLOTS);
      binSizes[bin] = (binSizes[bin] ?? 0) + 1;
    }
    const perSlot = VISITORS / SLOTS;
    const uniform = chiSquared(
      bins,
      binSizes.map((size) => size * perSlot),
    );
    expect(chiSquaredTail(uniform, 100)).toBeGreaterThan(SIGNIFICANCE);
    const split = chiSquared(
      variants,
      [0.5, 0.2, 0.3].map((share) => share * VISITORS),
    );
    expect(chiSquaredTail(split, 2)).toBeGreaterThan(SIGNIFICANCE);
  });
});

describe('two draws of the same quarter of a million visitors are independent', () => {
  test.each<[string, (id: string) => number]>([
    ['with keys that differ in the last character', (id) => slotOf('home-redesigo', 1, id)],
    ['with a key that goes on', (id) => slotOf('home-redesign2', 1, id)],
    ['in two phases', (id) => slotOf('home-redesign', 2, id)],
    ['for variant and coverage', (id) => drawSlot(`coverage:home-redesign:1:${id}`)],
  ])('%s', (_, second) => {
    const table = Array.from({ length: 9 }, () => 0);
    const rows = [0, 0, 0];
    const columns = [0, 0, 0];
    for (let n = 0; n < VISITORS / 4; n += 1) {
      const [row, column] = [
        thirdOf(slotOf('home-redesign', 1, String(n))),
        thirdOf(second(String(n))),
      ];
      table[row * 3 + column] = (table[row * 3 + column] ?? 0) + 1;
      rows[row] = (rows[row] ?? 0) + 1;
      columns[column] = (columns[column] ?? 0) + 1;
    }
    const expected = rows.flatMap((row) => columns.map((column) => (row * column * 4) / VISITORS));
    expect(chiSquaredTail(chiSquared(table, expected), 4)).toBeGreaterThan(SIGNIFICANCE);
  });
});
