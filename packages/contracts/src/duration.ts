import { z } from 'zod';

const UNITS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/**
 * Node.js turns a timer of more than 2^31-1 ms (24.8 days) into one of 1 ms. Whole days leave
 * room for the moments that are added to a length, such as the grace after a drain.
 */
const LONGEST_DAYS = 24;

/** The milliseconds of a length of time such as `250ms` or `7d`; undefined for a text that is none. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const length = unit === undefined ? undefined : UNITS.get(unit);
  return length === undefined ? undefined : Number(digits) * length;
}

/** A length of time such as `250ms`, `5s`, `10m`, `1h` or `7d`, up to 24 days; parsed to milliseconds. */
export const durationSchema = z
  .string('expected a length of time such as 250ms, 5s, 10m or 1h')
  .transform((text, context) => {
    const milliseconds = parseDuration(text);
    if (milliseconds === undefined) {
      context.addIssue('expected a length of time such as 250ms, 5s, 10m or 1h');
      return z.NEVER;
    }
    if (milliseconds > LONGEST_DAYS * 86_400_000) {
      context.addIssue(`expected at most ${LONGEST_DAYS}d, the longest that a timer can wait`);
      return z.NEVER;
    }
    return milliseconds;
  });
