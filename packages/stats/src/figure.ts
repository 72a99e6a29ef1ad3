/** Why a figure can't be told. docs/statistics.md says what each means. */
export type Reason =
  | 'no-visitors'
  | 'no-conversions'
  | 'no-variance'
  | 'not-compared'
  | 'no-lift-fits'
  | 'cells-large-enough'
  | 'before-planned-size'
  | 'split-broken'
  | 'no-baseline'
  | 'no-minimum-lift'
  | 'no-traffic'
  | 'out-of-reach';

export interface Unknown {
  readonly kind: 'unknown';
  readonly reason: Reason;
}

/** What is known; or, in place of NaN, why it is not. */
export type Figure<Known> = ({ readonly kind: 'known' } & Known) | Unknown;

/** An estimate between its two limits. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export function unknown(reason: Reason): Unknown {
  return { kind: 'unknown', reason };
}
