// When a crashed server is started again, and when that has gone on for too long.

export interface RestartPolicy {
  /** Wait (ms) before the first restart; it doubles with each further crash… */
  readonly firstDelayMs: number;
  /** …up to this. */
  readonly longestDelayMs: number;
  /** More crashes than this within `windowMs` are too many. */
  readonly crashesAllowed: number;
  readonly windowMs: number;
}

export const defaultRestartPolicy: RestartPolicy = {
  firstDelayMs: 250,
  longestDelayMs: 5000,
  crashesAllowed: 5,
  windowMs: 60_000,
};

/**
 * What to do about the latest of `crashes`.
 *
 * @param crashes times (ms), ascending, the last one being the crash in question
 * @returns the wait (ms) before the restart, or `give-up`
 */
export function afterCrash(crashes: readonly number[], policy: RestartPolicy): number | 'give-up' {
  const latest = crashes.at(-1) ?? 0;
  const recent = crashes.filter((time) => time > latest - policy.windowMs).length;
  if (recent > policy.crashesAllowed) return 'give-up';
  return Math.min(policy.firstDelayMs * 2 ** (recent - 1), policy.longestDelayMs);
}
