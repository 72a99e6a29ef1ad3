import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GateReading } from '@turnout/contracts/ramp';
import { dueAt, nextStep } from './next-step.ts';
import type { NextStep, RampProgress, Sight } from './next-step.ts';

const SINCE = new Date('2026-05-06T07:08:09.010Z');

const reading = fc.record({
  gate: fc.constantFrom('errorRate', 'firstByte', 'sampleRatio'),
  verdict: fc.constantFrom('pass', 'fail', 'too-few'),
  detail: fc.string(),
}) satisfies fc.Arbitrary<GateReading>;
const sight = fc.record({
  readings: fc.array(reading, { minLength: 1, maxLength: 9 }),
  unread: fc.array(fc.webUrl(), { maxLength: 2 }),
});
const progress = fc
  .array(fc.record({ coverage: fc.nat(10_000), for: fc.nat(86_400_000) }), {
    minLength: 1,
    maxLength: 9,
  })
  .chain((steps) =>
    fc.record({
      steps: fc.constant(steps),
      step: fc.nat(steps.length - 1),
      stepSince: fc.constant(SINCE),
    }),
  );
/** Milliseconds since the step began, before and after its end. */
const elapsed = fc.nat(100_000_000);

const after = (milliseconds: number) => new Date(SINCE.getTime() + milliseconds);
const has = ({ readings }: Sight, verdict: GateReading['verdict']) =>
  readings.some((one) => one.verdict === verdict);

/** Every case, and what follows of it. */
function eachCase(holds: (at: RampProgress, seen: Sight, next: NextStep, now: Date) => void): void {
  fc.assert(
    fc.property(progress, sight, elapsed, (at, seen, milliseconds) => {
      const now = after(milliseconds);
      holds(at, seen, nextStep(at, seen, now), now);
    }),
    { numRuns: 1_000 },
  );
}

describe('the next step', () => {
  test('is back whenever a gate fails, and only then', () => {
    eachCase((_at, seen, next) => expect(next.kind === 'roll-back').toBe(has(seen, 'fail')));
  });

  test('is forward only when time is over, all edges were read and all gates pass', () => {
    eachCase((at, seen, next, now) => {
      const isReady =
        now >= dueAt(at) &&
        seen.unread.length === 0 &&
        seen.readings.every(({ verdict }) => verdict === 'pass');
      expect(next.kind === 'forward' || next.kind === 'finish').toBe(isReady);
    });
  });

  test('is one at a time, and the end comes after the last', () => {
    eachCase(({ step, steps }, _seen, next) => {
      const isLast = step === steps.length - 1;
      expect(next.kind === 'forward' && isLast).toBe(false);
      expect(next.kind === 'finish' && !isLast).toBe(false);
      expect(next.kind === 'forward' ? next.step : step + 1).toBe(step + 1);
    });
  });

  test('says why, unless the step simply goes on', () => {
    eachCase((_at, _seen, next) => {
      expect(next.kind === 'stay' || next.reason.length > 0).toBe(true);
    });
  });

  test('depends on the clock only by whether the step’s time is over', () => {
    eachCase((at, seen, next, now) => {
      const later = new Date(now.getTime() + 1_000);
      expect(now < dueAt(at) || nextStep(at, seen, later).kind === next.kind).toBe(true);
    });
  });

  test('names the gate, the variant and the figures', () => {
    const failed = {
      gate: 'errorRate',
      variant: 'B',
      verdict: 'fail',
      detail: '50 % of 9',
    } as const;
    const at = { steps: [{ coverage: 1 }], step: 0, stepSince: SINCE };
    expect(nextStep(at, { readings: [failed], unread: [] }, SINCE)).toEqual({
      kind: 'roll-back',
      reason: 'errorRate of B: 50 % of 9',
    });
    const silent = { ...failed, verdict: 'too-few' } as const;
    expect(nextStep(at, { readings: [silent], unread: [] }, SINCE)).toEqual({
      kind: 'hold',
      reason: 'too little traffic: errorRate of B: 50 % of 9',
    });
    expect(nextStep(at, { readings: [silent], unread: ['the edge at x'] }, SINCE)).toEqual({
      kind: 'hold',
      reason: 'can not read the edge at x',
    });
  });
});
