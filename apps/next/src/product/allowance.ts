/** Monthly data as a shopper reads it; `null` GB is unlimited. */
export function formatData(gigabytes: number | null): string {
  return gigabytes === null ? 'Unlimited' : `${gigabytes} GB`;
}

/** Top speed, from Mbit/s: whole and half gigabits read better as such. */
export function formatSpeed(megabits: number): string {
  return megabits >= 1000 ? `${megabits / 1000} Gbit/s` : `${megabits} Mbit/s`;
}

/** Minimum term, from months; 0 is none. */
export function formatCommitment(months: number): string {
  if (months === 0) return 'None';
  return months === 1 ? '1 month' : `${months} months`;
}
