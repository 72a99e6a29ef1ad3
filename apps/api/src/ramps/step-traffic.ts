import type { TrafficReport } from '@turnout/contracts/traffic';
import { z } from 'zod';

/**
 * What the variants of one experiment have answered since a step began, over all edges. Edges
 * tell what they counted since they started, so each one's last report is kept, and what the
 * next one has more is added.
 */

const count = z.int().min(0);
const countsSchema = z.strictObject({
  requests: count,
  serverErrors: count,
  newVisitors: count,
  /** By the bounds of `StepTraffic`; the last one is for what is above them all. */
  firstByte: z.array(count),
});
/** Counts of one variant. */
export type Counts = z.infer<typeof countsSchema>;

const byVariant = z.record(z.string(), countsSchema);

export const stepTrafficSchema = z.strictObject({
  /** Bounds of the first-byte counts in seconds, rising; empty before the first report. */
  firstByteBounds: z.array(z.number()),
  counted: byVariant,
  /** What each edge, by its URL, told last. */
  edges: z.record(z.string(), z.strictObject({ run: z.string(), counts: byVariant })),
});
export type StepTraffic = z.infer<typeof stepTrafficSchema>;

/** Nothing is counted, and no edge is known. */
export const NO_TRAFFIC: StepTraffic = { firstByteBounds: [], counted: {}, edges: {} };

/** One edge's report; undefined if it could not be read. */
export type EdgeReports = ReadonlyMap<string, TrafficReport | undefined>;

/** A new step: what the edges told last is where it begins. */
export function beginStep({ firstByteBounds, edges }: StepTraffic): StepTraffic {
  return { firstByteBounds, counted: {}, edges };
}

/** Without the edges that could not be read: what they count until then belongs to no step. */
export function withoutUnread(traffic: StepTraffic, reports: EdgeReports): StepTraffic {
  const read = Object.entries(traffic.edges).filter(([url]) => reports.get(url) !== undefined);
  return { ...traffic, edges: Object.fromEntries(read) };
}

/**
 * Adds what the edges have counted since their last reports.
 *
 * - An edge that started anew since has counted all in this step.
 * - An edge that is seen for the first time may have counted for long: it is counted from here.
 * - An edge that could not be read is made up for by its next report.
 */
export function addReports(
  traffic: StepTraffic,
  experiment: string,
  reports: EdgeReports,
): StepTraffic {
  const counted = new Map(Object.entries(traffic.counted));
  const edges = new Map(Object.entries(traffic.edges));
  let { firstByteBounds } = traffic;
  for (const [url, report] of reports) {
    if (report === undefined) continue;
    if (firstByteBounds.length === 0) ({ firstByteBounds } = report);
    const counts = countsOf(report, experiment, firstByteBounds);
    const known = edges.get(url);
    edges.set(url, { run: report.run, counts });
    if (known === undefined) continue;
    for (const [variant, now] of Object.entries(counts)) {
      const before = report.run === known.run ? countsBy(known.counts, variant) : undefined;
      counted.set(variant, sum(counted.get(variant), difference(now, before)));
    }
  }
  return {
    firstByteBounds,
    counted: Object.fromEntries(counted),
    edges: Object.fromEntries(edges),
  };
}

/** Counts of one variant. Its key may be the name of something that every object has. */
export function countsBy(counts: StepTraffic['counted'], variant: string): Counts | undefined {
  return Object.hasOwn(counts, variant) ? counts[variant] : undefined;
}

function countsOf(
  report: TrafficReport,
  experiment: string,
  bounds: readonly number[],
): Record<string, Counts> {
  const ours = report.variants.filter((one) => one.experiment === experiment);
  return Object.fromEntries(
    ours.map(({ variant, requests, serverErrors, newVisitors, firstByte }) => [
      variant,
      {
        requests,
        serverErrors,
        newVisitors,
        firstByte: rebucketed(firstByte, report.firstByteBounds, bounds),
      },
    ]),
  );
}

/**
 * Counts in other bounds: while edges of two versions run, theirs may differ. What lies between
 * two of ours goes to the upper one: a first byte is rather taken for slower than it was.
 */
function rebucketed(
  counts: readonly number[],
  from: readonly number[],
  to: readonly number[],
): number[] {
  const buckets = Array.from({ length: to.length + 1 }, () => 0);
  for (const [index, answers] of counts.entries()) {
    const upper = from[index] ?? Number.POSITIVE_INFINITY;
    const found = to.findIndex((bound) => bound >= upper);
    const bucket = found === -1 ? to.length : found;
    buckets[bucket] = (buckets[bucket] ?? 0) + answers;
  }
  return buckets;
}

function sum(a: Counts | undefined, b: Counts): Counts {
  return a === undefined ? b : combined(a, b, (one, other) => one + other);
}

/** Never below 0, whatever an edge tells. */
function difference(now: Counts, before: Counts | undefined): Counts {
  if (before === undefined) return now;
  return combined(now, before, (one, other) => Math.max(0, one - other));
}

function combined(a: Counts, b: Counts, of: (one: number, other: number) => number): Counts {
  return {
    requests: of(a.requests, b.requests),
    serverErrors: of(a.serverErrors, b.serverErrors),
    newVisitors: of(a.newVisitors, b.newVisitors),
    firstByte: a.firstByte.map((one, index) => of(one, b.firstByte[index] ?? 0)),
  };
}
