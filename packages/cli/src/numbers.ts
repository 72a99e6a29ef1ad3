/** Numbers and times as people read them. */

/** @param share 0 to 1 */
export function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`;
}

/** Slots of 10,000 as a percentage. */
export function percentOfSlots(slots: number): string {
  return percent(slots / 10_000);
}

/** A whole number with commas: `12,345`. (Intl would add 12 ms to every start.) */
export function count(number: number): string {
  return String(Math.round(number)).replaceAll(/(?<=\d)(?=(\d{3})+$)/g, ',');
}

/** `2026-11-24 14:10 UTC` of an ISO 8601 time; as it came, if it is none. */
export function minute(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** A length of time in the largest unit that holds it whole: `1h`, `90m`. */
export function duration(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1];
  return milliseconds === 0 ? '0s' : `${milliseconds / length}${unit}`;
}
