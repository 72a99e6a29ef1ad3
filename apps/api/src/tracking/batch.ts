import type { TestResult, TrackingEvent } from '@turnout/contracts/event';
import { createTotalsChange } from './totals.ts';
import type { ExposureChange, ResultChange } from './totals.ts';
import { UNSEEN, withConfirmation, withExposure, withResult } from './visitor-record.ts';
import type { VisitorRecord } from './visitor-record.ts';

/** The visitors of one phase whom a batch of events is about. */
export interface BatchGroup {
  readonly experiment: string;
  readonly phase: number;
  /** By visitor id. */
  readonly events: ReadonlyMap<string, readonly TrackingEvent[]>;
}

export interface ChangedVisitor {
  readonly experiment: string;
  readonly phase: number;
  readonly visitor: string;
  readonly record: VisitorRecord;
  /** Metrics whose counted result is not what it was. */
  readonly metrics: readonly string[];
}

/** What a batch does to what is stored. */
export interface BatchChange {
  readonly visitors: readonly ChangedVisitor[];
  readonly exposures: readonly ExposureChange[];
  readonly results: readonly ResultChange[];
}

export function groupEvents(events: readonly TrackingEvent[]): BatchGroup[] {
  const groups: BatchGroup[] = [];
  for (const some of Map.groupBy(events, placeOf).values()) {
    const [first] = some;
    if (first === undefined) continue;
    const { experiment, phase } = first;
    groups.push({ experiment, phase, events: Map.groupBy(some, ({ visitor }) => visitor) });
  }
  return groups;
}

function placeOf({ experiment, phase }: TrackingEvent): string {
  return `${experiment} ${phase}`;
}

export function testResultsOf(events: readonly TrackingEvent[]): TestResult[] {
  return events.filter((event) => event.kind === 'result');
}

/**
 * Takes a batch in. Totals change by the difference between what each visitor was and what they
 * are then, so that events which were counted before change nothing.
 *
 * @param stored the record of each visitor that has one, by group and visitor id
 */
export function takeIn(
  groups: readonly BatchGroup[],
  stored: (group: BatchGroup) => ReadonlyMap<string, VisitorRecord>,
): BatchChange {
  const totals = createTotalsChange();
  const visitors: ChangedVisitor[] = [];
  for (const group of groups) {
    const { experiment, phase } = group;
    const records = stored(group);
    for (const [visitor, events] of group.events) {
      const before = records.get(visitor) ?? UNSEEN;
      const record = events.reduce(withEvent, before);
      if (record === before) continue;
      totals.replace(group, before, record);
      const metrics = [...record.results].flatMap(([metric, result]) =>
        result === before.results.get(metric) ? [] : [metric],
      );
      visitors.push({ experiment, phase, visitor, record, metrics });
    }
  }
  return { visitors, exposures: totals.exposures(), results: totals.results() };
}

function withEvent(record: VisitorRecord, event: TrackingEvent): VisitorRecord {
  if (event.kind === 'exposure') return withExposure(record, event);
  return event.kind === 'result' ? withResult(record, event) : withConfirmation(record);
}
