import { z } from 'zod';
import { parseDuration } from './parse-duration.ts';

/**
 * Node.js turns a timer of more than 2^31-1 ms (24.8 days) into one of 1 ms. Whole days leave
 * room for the moments that are added to a length, such as the grace after a drain.
 */
const LONGEST_DAYS = 24;

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
