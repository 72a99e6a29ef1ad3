import type { VisitorId } from './visitor-cookie.ts';

/** An assignment as the ledger holds it. */
export interface StoredAssignment {
  readonly variant: string;
  readonly phase: number;
  /** The experiment's revision that made the assignment. */
  readonly revision: number;
}

/** A variant that somebody has to leave, if an earlier revision assigned it. */
export interface Departure {
  readonly variant: string;
  /** What this revision or a later one assigned stands. */
  readonly before: number;
}

/** What the ledger says after a get-or-set. */
export interface LedgerEntry extends StoredAssignment {
  /** True when the proposal was written, false when an older decision stands. */
  readonly written: boolean;
}

/** The ledger: remembers what was decided for whom. */
export interface AssignmentStore {
  /**
   * Keeps what is stored, or else writes the proposal; in one atomic step, so that any
   * number of first requests at once agree. A stored assignment stands if its phase is
   * that of the proposal or newer, its variant is one of `variants`, and none of the
   * `departures` (default: none) leads it away. Either way the visitor's time to live
   * starts anew.
   *
   * The promise always settles, and rejects when the store cannot be reached.
   */
  getOrSet(
    visitor: VisitorId,
    experiment: string,
    proposal: StoredAssignment,
    variants: readonly string[],
    departures?: readonly Departure[],
  ): Promise<LedgerEntry>;
  /** All assignments of a visitor, by experiment. Leaves the time to live alone. */
  get(visitor: VisitorId): Promise<ReadonlyMap<string, StoredAssignment>>;
  /** Finishes what was begun and lets go of files and connections. Can be called twice. */
  close(): Promise<void>;
}

/** Counts unique visitors per variant and day. */
export interface VisitorCounter {
  /** @param day `YYYY-MM-DD`, UTC */
  add(
    experiment: string,
    phase: number,
    variant: string,
    day: string,
    visitors: readonly VisitorId[],
  ): Promise<void>;
  /** Unique visitors added; may be an estimate with a standard error of 0.81 %. */
  count(experiment: string, phase: number, variant: string, day: string): Promise<number>;
  /** As `count`, over several days: who came on two of them counts once. */
  countOver(
    experiment: string,
    phase: number,
    variant: string,
    days: readonly string[],
  ): Promise<number>;
}

/** A store of both, as `./redis` and `./embedded` make them. */
export interface Ledger extends AssignmentStore {
  readonly visitors: VisitorCounter;
  /** Writes over whatever is stored, as an operator who reassigns a visitor wants it. */
  set(visitor: VisitorId, experiment: string, assignment: StoredAssignment): Promise<void>;
  /**
   * Erases all that is held of a visitor. In Redis, the counts of unique visitors stay: no
   * id can be read from them.
   *
   * @returns how many assignments are gone
   */
  forget(visitor: VisitorId): Promise<number>;
  /**
   * Calls back with each visitor who was `set` or forgotten, by whichever process, within a
   * second: for those who remember visitors in memory. What happens while the store is out of
   * reach, or this process hangs, is told afterwards, for up to a day.
   */
  onChanged(listener: (visitor: VisitorId) => void): { close(): void };
  /** Resolves true once the store answers, or false after `milliseconds` without. Never rejects. */
  ready(milliseconds: number): Promise<boolean>;
}

/** The rule of `getOrSet`, for stores that decide in this process. */
export function stands(
  stored: StoredAssignment,
  proposal: StoredAssignment,
  variants: readonly string[],
  departures: readonly Departure[] = [],
): boolean {
  return (
    stored.phase >= proposal.phase &&
    variants.includes(stored.variant) &&
    !departs(stored, departures)
  );
}

/** Whether one of the departures leads the assignment away. */
export function departs(
  { variant, revision }: StoredAssignment,
  departures: readonly Departure[],
): boolean {
  return departures.some(
    (departure) => departure.variant === variant && revision < departure.before,
  );
}

/** How many days of unique visitors are kept. */
export const VISITOR_DAYS = 35;

/**
 * Checks a day before it becomes part of a key.
 *
 * @throws TypeError for anything but `YYYY-MM-DD`
 */
export function checkDay(day: string): void {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) {
    throw new TypeError(`Expected a day as YYYY-MM-DD, got "${day}"`);
  }
}
