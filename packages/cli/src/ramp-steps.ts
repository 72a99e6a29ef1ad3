import { parseDuration } from '@turnout/contracts/parse-duration';
import type { RampRequest, rampRequestSchema } from '@turnout/contracts/ramp';
import type { z } from 'zod';
import { usageError } from './command-error.ts';
import { duration, percentOfSlots } from './numbers.ts';

type StepInput = z.input<typeof rampRequestSchema>['steps'][number];

/**
 * Reads steps such as `5%:1h`: how many visitors take part, and for how long at least.
 *
 * @throws {CommandError} for a text that is none
 */
export function parseSteps(texts: readonly string[]): StepInput[] {
  return texts.map((text) => {
    const [, digits, time] = /^(\d+(?:\.\d{1,2})?)%(?::(.+))?$/.exec(text) ?? [];
    const coverage = Math.round(Number(digits) * 100);
    const isTime = time === undefined || parseDuration(time) !== undefined;
    if (digits === undefined || coverage > 10_000 || !isTime) {
      throw usageError(
        `Expected steps such as 1%:1h 20%:6h 100%, with at most 100 % and two decimals, got "${text}".`,
      );
    }
    return time === undefined ? { coverage } : { coverage, for: time };
  });
}

/** `5 % for 1h` */
export function stepWords({ coverage, for: time }: RampRequest['steps'][number]): string {
  return time === undefined
    ? percentOfSlots(coverage)
    : `${percentOfSlots(coverage)} for ${duration(time)}`;
}
