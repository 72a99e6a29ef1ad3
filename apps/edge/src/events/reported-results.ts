import { hash } from 'node:crypto';
import type { Problem } from '@turnout/contracts';
import type { Report, TestResult } from '@turnout/contracts/event';
import type { MirrorEntry, RequestTraits, VisitorId } from '@turnout/router-core';
import { revisionFor, type Live } from '../live.ts';
import { REQUEST_ID_LIFE, type RequestIds } from './request-ids.ts';

/** How long ago a result can have happened, in ms: an older one is counted as that old. */
const OLDEST = 86_400_000;

type ReportedResult = Report['events'][number];

/** Who reports, as the signed cookie says, and what is in force. */
export interface Reporter {
  readonly visitor: VisitorId;
  readonly mirror: readonly MirrorEntry[];
  readonly live: Live;
  /** Of the request that reports. */
  readonly traits: RequestTraits;
  readonly requestIds: RequestIds;
  /** The edge node. */
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a report comes to: results, or where it disagrees with the visitor's cookie. */
export type Reading =
  | { readonly kind: 'results'; readonly results: readonly TestResult[] }
  | { readonly kind: 'disagrees'; readonly problems: readonly Problem[] };

/**
 * Reads a report. Visitor, variant and phase are the cookie's: what the report says of them is
 * only compared. The cookie repeats what the visitor's last page was decided by, and that page
 * is the one that the results are about.
 */
export function readReport({ events }: Report, reporter: Reporter): Reading {
  const problems = events.flatMap((event, index) => disagreements(event, index, reporter));
  if (problems.length > 0) return { kind: 'disagrees', problems };
  return { kind: 'results', results: events.flatMap((event) => resultsOf(event, reporter)) };
}

function disagreements(event: ReportedResult, index: number, reporter: Reporter): Problem[] {
  const { visitor, requestIds, now } = reporter;
  const problems: Problem[] = [];
  const add = (field: keyof ReportedResult, message: string): void => {
    problems.push({ path: ['events', index, field], message });
  };
  const { session_id, experiment, variant, request_id } = event;
  if (session_id !== undefined && session_id !== visitor) {
    add('session_id', 'not the visitor of the cookie; leave it out');
  }
  const own = entriesOf(event, reporter);
  if (experiment !== undefined && own.length === 0) {
    add('experiment', `the visitor is not assigned in "${experiment}"`);
  }
  const other = variant === undefined ? undefined : own.find((entry) => entry.variant !== variant);
  if (other !== undefined) {
    add(
      'variant',
      `expected "${other.variant}", which the visitor has in "${other.experiment}", got "${variant}"`,
    );
  }
  if (request_id !== undefined) {
    const problem = requestIds.problemOf(request_id.toLowerCase(), visitor, now);
    if (problem === 'foreign') add('request_id', 'not a request of this visitor');
    if (problem === 'expired') {
      add('request_id', `of a request more than ${REQUEST_ID_LIFE / 86_400_000} days ago`);
    }
  }
  return problems;
}

function resultsOf(event: ReportedResult, reporter: Reporter): TestResult[] {
  const { visitor, live, node, now } = reporter;
  const eventId = event.event_id.toLowerCase();
  const counted = entriesOf(event, reporter).filter((entry) => counts(entry, reporter));
  return counted.map(({ experiment, variant, phase }, index) => ({
    kind: 'result',
    // One report can be a result of several experiments: each is an event of its own.
    eventId: index === 0 ? eventId : eventIdFor(eventId, experiment),
    requestId: event.request_id?.toLowerCase() ?? null,
    visitor,
    experiment,
    variant,
    phase,
    revision: revisionFor(live, experiment),
    didConvert: event.did_convert,
    metric: event.metric,
    value: event.value ?? null,
    edge: node,
    at: happenedAt(event.occurred_at, now),
    receivedAt: now,
  }));
}

/** What the cookie says of the experiment that the event names, or of all that count. */
function entriesOf({ experiment }: ReportedResult, reporter: Reporter): readonly MirrorEntry[] {
  return reporter.mirror.filter((entry) =>
    experiment === undefined ? counts(entry, reporter) : entry.experiment === experiment,
  );
}

/** Whether results are counted in the experiment at all, and this request is no forced one. */
function counts({ experiment: key }: MirrorEntry, { live, traits }: Reporter): boolean {
  const experiment = live.experiment(key);
  if (experiment?.status !== 'running' && experiment?.status !== 'paused') return false;
  return experiment.forcedVariant(traits) === undefined;
}

/**
 * When a result happened, by the clock of whoever reports, but no later than now and no earlier
 * than a day ago: a clock that is wrong, or a browser that was offline for a week, costs the
 * time and not the result.
 */
function happenedAt(reported: string | number | undefined, now: number): number {
  const at = typeof reported === 'string' ? Date.parse(reported) : (reported ?? now);
  return Math.min(now, Math.max(now - OLDEST, at));
}

/** The same id for the same report and experiment: a UUIDv8 (RFC 9562, section 5.8). */
function eventIdFor(eventId: string, experiment: string): string {
  const digits = hash('sha256', `${eventId} ${experiment}`, 'hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
