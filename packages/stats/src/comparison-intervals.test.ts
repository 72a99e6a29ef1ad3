import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceInterval, liftInterval } from './comparison-intervals.ts';
import { holm } from './holm.ts';
import { criticalZ, normalQuantile, twoSidedP } from './normal.ts';
import type { Proportion } from './proportion.ts';
import { rateInterval } from './rate.ts';
import { fisherExact, pooledZ } from './single-look.ts';
import { known } from './test-figures.ts';

const proportion = fc
  .oneof(
    fc.tuple(fc.nat(30), fc.nat(30)),
    fc.tuple(fc.nat(100_000_000), fc.nat(100_000_000)),
    fc.tuple(fc.nat(20), fc.integer({ min: 20, max: 100_000_000 })),
  )
  .map(([a, b]): Proportion => ({ count: Math.min(a, b), total: Math.max(a, b) }));
const sample = proportion.filter(({ total }) => total > 0);
const alpha = fc.constantFrom(0.2, 0.05, 0.01, 1e-6, 1e-300);

describe('intervals', () => {
  test('of a rate contain it, stay within 0 and 1, and widen as alpha falls', () => {
    fc.assert(
      fc.property(sample, alpha, (seen, error) => {
        const { estimate, low, high } = known(rateInterval(seen, error));
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(high).toBeLessThanOrEqual(1);
        const wider = known(rateInterval(seen, error / 2));
        expect(wider.low).toBeLessThanOrEqual(low + 1e-15);
        expect(wider.high).toBeGreaterThanOrEqual(high - 1e-15);
      }),
    );
  });

  test('of a rate end exactly where nothing or everything converted', () => {
    for (const total of [1, 7, 1_000, 100_000_000]) {
      expect(rateInterval({ count: 0, total }, 0.05)).toMatchObject({ estimate: 0, low: 0 });
      expect(rateInterval({ count: total, total }, 0.05)).toMatchObject({ estimate: 1, high: 1 });
    }
  });

  test('of a difference contain it, and turn around when the arms are swapped', () => {
    fc.assert(
      fc.property(sample, sample, alpha, (control, variant, error) => {
        const { estimate, low, high } = known(differenceInterval(control, variant, error));
        const swapped = known(differenceInterval(variant, control, error));
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(low).toBeGreaterThanOrEqual(-1 - 1e-12);
        expect(high).toBeLessThanOrEqual(1 + 1e-12);
        expect([swapped.estimate, swapped.low, swapped.high].map((each) => 0 - each)).toEqual([
          expect.closeTo(estimate, 12),
          expect.closeTo(high, 12),
          expect.closeTo(low, 12),
        ]);
      }),
    );
  });

  test('of a lift contain it, and are those of the inverse when the arms are swapped', () => {
    fc.assert(
      fc.property(sample, sample, alpha, (control, variant, error) => {
        const lift = liftInterval(control, variant, error);
        expect(lift.kind === 'known').toBe(control.count > 0 && variant.count > 0);
        fc.pre(lift.kind === 'known');
        const { estimate, low, high } = lift;
        const swapped = known(liftInterval(variant, control, error));
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(Number.isFinite(high)).toBe(true);
        // A limit next to -1 has no digits left to compare.
        fc.pre(Math.min(swapped.low, high) > -0.999);
        expect((1 + high) * (1 + swapped.low)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('have a reason when there is nobody', () => {
    const nobody = { count: 0, total: 0 };
    const some = { count: 1, total: 2 };
    const reason = { kind: 'unknown', reason: 'no-visitors' };
    expect(rateInterval(nobody, 0.05)).toEqual(reason);
    expect(differenceInterval(nobody, some, 0.05)).toEqual(reason);
    expect(differenceInterval(some, nobody, 0.05)).toEqual(reason);
    expect(liftInterval(some, nobody, 0.05)).toEqual(reason);
    expect(pooledZ([{ control: nobody, variant: some }])).toEqual(reason);
    expect(pooledZ([])).toEqual(reason);
    expect(fisherExact({ control: some, variant: nobody })).toEqual(reason);
  });
});

describe('a single look', () => {
  test('has a p from 0 to 1 that swapping the arms does not change', () => {
    fc.assert(
      fc.property(sample, sample, (control, variant) => {
        const [there, back] = [
          pooledZ([{ control, variant }]),
          pooledZ([{ control: variant, variant: control }]),
        ];
        const converted = control.count + variant.count;
        expect(there.kind === 'known').toBe(
          converted > 0 && converted < control.total + variant.total,
        );
        expect(back.kind).toBe(there.kind);
        fc.pre(there.kind === 'known');
        expect(there.p).toBeGreaterThanOrEqual(0);
        expect(there.p).toBeLessThanOrEqual(1);
        expect(known(back).z).toBeCloseTo(0 - there.z, 9);
        expect(Number.isFinite(there.z)).toBe(true);
      }),
    );
  });

  test('by Fisher has one too, wherever a cell is expected to be small', () => {
    let exact = 0;
    fc.assert(
      fc.property(sample, sample, (control, variant) => {
        const fisher = fisherExact({ control, variant });
        const swapped = fisherExact({ control: variant, variant: control });
        const total = control.total + variant.total;
        const converted = control.count + variant.count;
        const smallest =
          (Math.min(control.total, variant.total) / total) * Math.min(converted, total - converted);
        expect(fisher.kind).toBe(smallest < 5 ? 'known' : 'unknown');
        if (fisher.kind === 'unknown') return;
        exact += 1;
        expect(fisher.p).toBeGreaterThan(0);
        expect(fisher.p).toBeLessThanOrEqual(1);
        expect(known(swapped).p).toBeCloseTo(fisher.p, 9);
      }),
    );
    expect(exact).toBeGreaterThan(0);
  });

  // Cochran's test of two equal halves is the pooled z of both together.
  test('over segments of equal rates is the one of their sum', () => {
    const control = { count: 50, total: 1_000 };
    const variant = { count: 65, total: 1_000 };
    const twice = known(
      pooledZ([
        { control, variant },
        { control, variant },
      ]),
    );
    const both = known(
      pooledZ([{ control: { count: 100, total: 2_000 }, variant: { count: 130, total: 2_000 } }]),
    );
    expect(twice.z).toBeCloseTo(both.z, 12);
  });

  // Simpson's paradox: the same rates in either segment, but another mix of the two.
  test('finds nothing where only the weights changed', () => {
    const pairs = [
      { control: { count: 900, total: 9_000 }, variant: { count: 100, total: 1_000 } },
      { control: { count: 200, total: 1_000 }, variant: { count: 1_800, total: 9_000 } },
    ];
    expect(known(pooledZ(pairs)).z).toBeCloseTo(0, 12);
  });
});

describe('the normal distribution', () => {
  test.each([
    [0.05, 1.959_963_984_540_054],
    [0.01, 2.575_829_303_548_900_4],
    [1, 0],
  ])('z of %d', (alphaOfZ, z) => {
    expect(criticalZ(alphaOfZ)).toBeCloseTo(z, 12);
    expect(twoSidedP(z)).toBeCloseTo(alphaOfZ, 12);
  });

  test('keeps a p of 1e-300, and has quantiles on both sides', () => {
    expect(twoSidedP(criticalZ(1e-300)) / 1e-300).toBeCloseTo(1, 9);
    expect(normalQuantile(0.8)).toBeCloseTo(0.841_621_233_572_914_3, 12);
    expect(normalQuantile(0.2)).toBeCloseTo(-0.841_621_233_572_914_3, 12);
  });
});

test('Holm never lowers a p, nor changes which is smaller', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (values) => {
      const adjusted = holm(values);
      expect(adjusted.length).toBe(values.length);
      for (const [index, value] of values.entries()) {
        expect(adjusted[index]).toBeGreaterThanOrEqual(value);
        expect(adjusted[index]).toBeLessThanOrEqual(1);
        for (const [other, against] of values.entries()) {
          const isKept = value >= against || (adjusted[index] ?? 1) <= (adjusted[other] ?? 0);
          expect(isKept).toBe(true);
        }
      }
    }),
  );
});
