import type { ExperimentCounts } from '@turnout/contracts/results';

const DAY = 86_400_000;
/** Days that the present traffic is taken from; a week, as days of a week differ. */
const DAYS = 7;
/** A rate of less than this long is no rate; in days. */
const SHORTEST = 1 / 24;

/** New visitors a day at present, declared bots left out; 0 when none came for a week. */
export function visitorsPerDay({ slices, firstExposure }: ExperimentCounts, now: Date): number {
  if (firstExposure === undefined) return 0;
  const today = Math.floor(now.getTime() / DAY);
  const from = today - DAYS + 1;
  const visitors = slices
    .filter(({ by, value }) => by === 'day' && Date.parse(value) / DAY >= from)
    .flatMap(({ variants }) => variants)
    .reduce((sum, { exposed }) => sum + exposed, 0);
  const began = Math.max(from, Date.parse(firstExposure) / DAY);
  return visitors / Math.max(SHORTEST, now.getTime() / DAY - began);
}
