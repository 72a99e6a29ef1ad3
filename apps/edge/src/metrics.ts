import {
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client';
import type { Assigner, AssignerStatus } from '@turnout/router-core';

/** All metrics of one process, as plain data. */
export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/**
 * Which traffic a request belongs to. `experiment` is empty where none decided, `variant` where
 * nobody is assigned: for holdouts, killed and concluded experiments, and background requests.
 */
const TRAFFIC_LABELS = ['upstream', 'experiment', 'variant'] as const;
export type TrafficLabels = Readonly<Record<(typeof TRAFFIC_LABELS)[number], string>>;

const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/**
 * Finer than other durations, since variants are compared by them, and so that the double of
 * each bound is a bound.
 */
export const FIRST_BYTES = [
  0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.016, 0.024, 0.032, 0.048, 0.064, 0.096,
  0.128, 0.192, 0.256, 0.384, 0.512, 0.768, 1.024, 1.536, 2.048, 3.072, 4.096, 6.144, 8.192, 12.288,
  16.384, 24.576,
];
const DECISION_DURATIONS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025,
];

const EFFECT_DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** The metrics that every worker keeps; the primary adds those of all workers up. */
export function createWorkerMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    requests: new Counter({
      name: 'turnout_requests_total',
      help: 'Requests answered, by upstream, variant and status class; none when the visitor left first.',
      labelNames: [...TRAFFIC_LABELS, 'code'],
      registers,
    }),
    requestDuration: new Histogram({
      name: 'turnout_request_duration_seconds',
      help: 'From the request head to the end of the response.',
      labelNames: TRAFFIC_LABELS,
      buckets: DURATIONS,
      registers,
    }),
    firstByte: new Histogram({
      name: 'turnout_first_byte_seconds',
      help: 'From the decision to the head of the upstream’s answer.',
      labelNames: TRAFFIC_LABELS,
      buckets: FIRST_BYTES,
      registers,
    }),
    inFlight: new Gauge({
      name: 'turnout_requests_in_flight',
      help: 'Requests that an upstream is answering now.',
      labelNames: TRAFFIC_LABELS,
      registers,
    }),
    requestBytes: new Counter({
      name: 'turnout_request_body_bytes_total',
      help: 'Bytes of request bodies sent on to upstreams.',
      labelNames: TRAFFIC_LABELS,
      registers,
    }),
    responseBytes: new Counter({
      name: 'turnout_response_body_bytes_total',
      help: 'Bytes of response bodies sent on to visitors.',
      labelNames: TRAFFIC_LABELS,
      registers,
    }),
    upgrades: new Counter({
      name: 'turnout_upgrades_total',
      help: 'Connections upgraded (WebSocket), by upstream and outcome.',
      labelNames: ['upstream', 'outcome'],
      registers,
    }),
    ownResponses: new Counter({
      name: 'turnout_own_responses_total',
      help: 'Requests that the edge answered itself: its endpoints, and refusals.',
      labelNames: ['code'],
      registers,
    }),
    upstreamErrors: new Counter({
      name: 'turnout_upstream_errors_total',
      help: 'Requests that an upstream failed to answer, by reason.',
      labelNames: ['upstream', 'reason'],
      registers,
    }),
    assignments: new Counter({
      name: 'turnout_assignments_total',
      help: 'Requests given a variant, by where the assignment came from.',
      labelNames: ['experiment', 'variant', 'source'],
      registers,
    }),
    decisionDuration: new Histogram({
      name: 'turnout_decision_duration_seconds',
      help: 'From the request head to the chosen upstream.',
      buckets: DECISION_DURATIONS,
      registers,
    }),
    snapshotRevision: new Gauge({
      name: 'turnout_snapshot_revision',
      help: 'Revision of the experiments that decide; of the worker that is furthest behind. 0 for those of the configuration.',
      aggregator: 'min',
      registers,
    }),
    changeEffect: new Histogram({
      name: 'turnout_change_effect_seconds',
      help: 'From the publication of a snapshot to the moment when a worker decides by it.',
      buckets: EFFECT_DURATIONS,
      registers,
    }),
    exposures: new Counter({
      name: 'turnout_exposures_total',
      help: 'Visitors served a page for the first time that their worker knows of, by the variant that they are assigned to.',
      labelNames: ['experiment', 'variant'],
      registers,
    }),
    events: new Counter({
      name: 'turnout_events_total',
      help: 'Events by kind: taken (durable), refused (whoever reported them was told), dropped (lost).',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    visitorCookies: new Counter({
      name: 'turnout_visitor_cookies_total',
      help: 'Visitor cookies seen in experiments: valid, absent, rejected; and minted.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

/** What waits on this worker's disk, read at each scrape. */
export function watchSpool(registry: Registry, log: { readonly spooled: number }): void {
  const gauge = new Gauge({
    name: 'turnout_spool_bytes',
    help: 'Events on the disks of all workers that wait for the event log, in bytes.',
    registers: [registry],
    collect() {
      gauge.set(log.spooled);
    },
  });
}

/** How the ledger fares, read from the assigner at each scrape. */
export function watchLedger(registry: Registry, assigner: Assigner): void {
  const registers = [registry];
  const counter = (name: string, help: string, read: (status: AssignerStatus) => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(assigner.status()));
      },
    });
  const gauge = (name: string, help: string, read: (status: AssignerStatus) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(assigner.status()));
      },
    });
  counter(
    'turnout_ledger_errors_total',
    'Calls of the ledger that failed.',
    ({ storeErrors }) => storeErrors,
  );
  counter(
    'turnout_ledger_timeouts_total',
    'Requests that went on without the answer of a slow ledger.',
    ({ storeTimeouts }) => storeTimeouts,
  );
  counter(
    'turnout_ledger_breaker_opened_total',
    'Times that a failing ledger was left alone for a while.',
    ({ breakerOpened }) => breakerOpened,
  );
  counter(
    'turnout_ledger_writes_dropped_total',
    'Assignments that the ledger never got because too many waited; cookie and hash hold them.',
    ({ writeBehindDropped }) => writeBehindDropped,
  );
  gauge('turnout_ledger_breaker_open', 'Workers that leave the ledger alone now.', ({ breaker }) =>
    breaker === undefined || breaker === 'closed' ? 0 : 1,
  );
  gauge(
    'turnout_ledger_writes_waiting',
    'Assignments that wait to be written.',
    ({ writeBehindLength }) => writeBehindLength,
  );
  gauge(
    'turnout_assignments_cached',
    'Assignments in memory, over all workers.',
    ({ cached }) => cached,
  );
}
