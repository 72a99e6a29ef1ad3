import { z } from 'zod';

const UNITS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A length of time such as `250ms`, `5s`, `10m`, `1h` or `180d`; parsed to milliseconds. */
export const durationSchema = z
  .string('expected a length of time such as 250ms, 5s, 10m or 1h')
  .transform((text, context) => {
    const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
    const length = unit === undefined ? undefined : UNITS.get(unit);
    if (length === undefined) {
      context.addIssue('expected a length of time such as 250ms, 5s, 10m or 1h');
      return z.NEVER;
    }
    return Number(digits) * length;
  });
