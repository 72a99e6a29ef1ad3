import type { Exposure, TestResult } from '@turnout/contracts/event';

/** What is counted of one visitor in one phase of an experiment. */
export interface VisitorRecord {
  /** The first page that they were served; undefined while only other events have come. */
  readonly exposure: CountedExposure | undefined;
  /** Their cookie came back. */
  readonly confirmed: boolean;
  /** The first, by name, of the variants that any event saw them in; undefined before that. */
  readonly seenVariant: string | undefined;
  readonly inTwoVariants: boolean;
  /** By metric. */
  readonly results: ReadonlyMap<string, CountedResult>;
}

export type CountedExposure = Pick<
  Exposure,
  'assigned' | 'served' | 'revision' | 'requestId' | 'bot' | 'edge' | 'at'
>;

/** The one result of a visitor that counts for a metric. */
export interface CountedResult extends Pick<TestResult, 'didConvert' | 'value' | 'eventId' | 'at'> {
  /** When the first one of any kind was, in ms since 1970. */
  readonly firstAt: number;
}

export const UNSEEN: VisitorRecord = {
  exposure: undefined,
  confirmed: false,
  seenVariant: undefined,
  inTwoVariants: false,
  results: new Map(),
};

/*
 * Each of these takes in one event. The same events give the same record, in any order and
 * however often they come: of exposures the earliest stands, of results the earliest conversion,
 * or else the earliest of all, and what was seen once stays seen. So nothing has to be known of
 * the events before.
 */

export function withExposure(record: VisitorRecord, event: Exposure): VisitorRecord {
  const { exposure } = record;
  const isFirst =
    exposure === undefined ||
    isEarlier([event.at, event.requestId], [exposure.at, exposure.requestId]);
  return seenIn(isFirst ? { ...record, exposure: event } : record, event.assigned);
}

export function withConfirmation(record: VisitorRecord): VisitorRecord {
  return record.confirmed ? record : { ...record, confirmed: true };
}

export function withResult(record: VisitorRecord, event: TestResult): VisitorRecord {
  const known = record.results.get(event.metric);
  const { didConvert, eventId, at } = event;
  const value = didConvert ? event.value : null;
  const firstAt = Math.min(at, known?.firstAt ?? at);
  const stands = known === undefined || isStronger(event, known);
  if (!stands && firstAt === known.firstAt) return seenIn(record, event.variant);
  const counted = stands ? { didConvert, value, eventId, at, firstAt } : { ...known, firstAt };
  const results = new Map(record.results).set(event.metric, counted);
  return seenIn({ ...record, results }, event.variant);
}

function isStronger(event: TestResult, known: CountedResult): boolean {
  if (event.didConvert !== known.didConvert) return event.didConvert;
  return isEarlier([event.at, event.eventId], [known.at, known.eventId]);
}

function seenIn(record: VisitorRecord, variant: string): VisitorRecord {
  const { seenVariant, inTwoVariants } = record;
  if (seenVariant === variant) return record;
  if (inTwoVariants && seenVariant !== undefined && seenVariant < variant) return record;
  return {
    ...record,
    seenVariant: seenVariant === undefined || variant < seenVariant ? variant : seenVariant,
    inTwoVariants: seenVariant !== undefined,
  };
}

/** By time, and by id where that is the same, so that it does not depend on who came first. */
function isEarlier(
  [at, id]: readonly [number, string],
  [otherAt, otherId]: readonly [number, string],
): boolean {
  return at < otherAt || (at === otherAt && id < otherId);
}
