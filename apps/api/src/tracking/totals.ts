import type { VisitorRecord } from './visitor-record.ts';

/** What visitors are told apart by in totals. */
export interface Cell {
  readonly experiment: string;
  readonly phase: number;
  readonly variant: string;
  readonly revision: number;
  /** Of the exposure, in UTC: `2026-11-24`. */
  readonly day: string;
  readonly bot: string;
  readonly edge: string;
}

/** How much the totals of a cell change. */
export interface ExposureChange {
  readonly cell: Cell;
  exposed: number;
  fallback: number;
  confirmed: number;
  inTwoVariants: number;
}

/** How much the totals of a metric in a cell change. */
export interface ResultChange {
  readonly cell: Cell;
  readonly metric: string;
  reported: number;
  conversions: number;
  confirmedConversions: number;
  value: number;
  valueSquared: number;
}

/** How totals change when records of visitors do. */
export interface TotalsChange {
  /**
   * Takes what the visitor was out of the totals, and puts in what they are. A visitor counts
   * from their exposure on, and where it was.
   */
  replace(place: VisitorPlace, before: VisitorRecord, after: VisitorRecord): void;
  /** Those that are not nought. */
  exposures(): ExposureChange[];
  results(): ResultChange[];
}

interface VisitorPlace {
  readonly experiment: string;
  readonly phase: number;
}

export function createTotalsChange(): TotalsChange {
  const exposures = new Map<string, ExposureChange>();
  const results = new Map<string, ResultChange>();

  function count(place: VisitorPlace, record: VisitorRecord, times: 1 | -1): void {
    if (record.exposure === undefined) return;
    const cell = cellOf(place, record.exposure);
    const name = JSON.stringify(Object.values(cell));
    const { exposure, confirmed, inTwoVariants } = record;
    const change = emplace(exposures, name, () => noExposures(cell));
    change.exposed += times;
    if (exposure.served !== exposure.assigned) change.fallback += times;
    if (confirmed) change.confirmed += times;
    if (inTwoVariants) change.inTwoVariants += times;
    for (const [metric, { didConvert, value }] of record.results) {
      const result = emplace(results, `${metric} ${name}`, () => noResults(cell, metric));
      result.reported += times;
      if (!didConvert) continue;
      result.conversions += times;
      if (confirmed) result.confirmedConversions += times;
      result.value += times * (value ?? 0);
      result.valueSquared += times * (value ?? 0) ** 2;
    }
  }

  return {
    replace(place, before, after) {
      count(place, before, -1);
      count(place, after, 1);
    },
    exposures: () => [...exposures.values()].filter(isChange),
    results: () => [...results.values()].filter(isChange),
  };
}

function cellOf(
  { experiment, phase }: VisitorPlace,
  { assigned, revision, at, bot, edge }: NonNullable<VisitorRecord['exposure']>,
): Cell {
  const day = new Date(at).toISOString().slice(0, 10);
  return { experiment, phase, variant: assigned, revision, day, bot, edge };
}

function noExposures(cell: Cell): ExposureChange {
  return { cell, exposed: 0, fallback: 0, confirmed: 0, inTwoVariants: 0 };
}

function noResults(cell: Cell, metric: string): ResultChange {
  return {
    cell,
    metric,
    reported: 0,
    conversions: 0,
    confirmedConversions: 0,
    value: 0,
    valueSquared: 0,
  };
}

function isChange(change: ExposureChange | ResultChange): boolean {
  return Object.values(change).some((figure) => typeof figure === 'number' && figure !== 0);
}

function emplace<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
