import { randomUUIDv7 } from 'node:crypto';
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import type { EventLog } from '@turnout/event-log';
import type { VisitorCounter } from '@turnout/router-core';
import { SHORTFALL_OUTCOMES } from '@turnout/contracts';
import type { TrafficReport } from '@turnout/contracts/traffic';
import type { Fleet } from './fleet.ts';
import type { MetricSnapshot } from './metrics.ts';
import type { SnapshotWatch } from './snapshot-watch.ts';
import { trafficOf } from './traffic.ts';
import { utcDay } from './visitor-tally.ts';

/** How long a scrape waits for the store to count visitors, in ms. */
const COUNT_WAIT = 300;

/**
 * The metrics of the whole process group: those of all workers added up, those
 * of workers that are gone (so that no counter ever falls), and the primary's own.
 */
export class FleetMetrics {
  readonly #fleet: Fleet;
  readonly #own = new Registry();
  readonly #run = randomUUIDv7();
  #gone: MetricSnapshot = [];

  constructor(
    fleet: Fleet,
    watch: SnapshotWatch | undefined,
    visitors: VisitorCounter | undefined,
    events: EventLog | undefined,
    now: () => number,
  ) {
    this.#fleet = fleet;
    fleet.on('gone', (last) => {
      if (last !== undefined) this.#gone = sum([this.#gone, last.filter(isCumulative)]);
    });
    this.#own.registerMetric(
      new Gauge({
        name: 'turnout_workers',
        help: 'Worker processes that accept connections.',
        registers: [],
        collect() {
          this.set(fleet.listening);
        },
      }),
    );
    this.#own.registerMetric(
      new Counter({
        name: 'turnout_worker_restarts_total',
        help: 'Workers started in place of one that died.',
        registers: [],
        collect() {
          this.reset();
          this.inc(fleet.restarts);
        },
      }),
    );
    if (watch === undefined || visitors === undefined || events === undefined) return;
    this.#own.registerMetric(
      new Gauge({
        name: 'turnout_event_log_lag',
        help: 'Events in the log that were not counted yet, of all edges that share it.',
        registers: [],
        async collect() {
          // A log out of reach gives no number, as above.
          const lag = await within(COUNT_WAIT, events.lag());
          this.reset();
          if (lag !== undefined) this.set(lag);
        },
      }),
    );
    this.#own.registerMetric(
      new Counter({
        name: 'turnout_snapshots_refused_total',
        help: 'Publications of which nothing could be used; the last good one stays.',
        registers: [],
        collect() {
          this.reset();
          this.inc(watch.refused);
        },
      }),
    );
    this.#own.registerMetric(
      new Gauge({
        name: 'turnout_experiments_unusable',
        help: 'Experiments that this edge does not decide by as they are published, by what they do instead; the log says why.',
        labelNames: ['outcome'],
        registers: [],
        collect() {
          for (const outcome of SHORTFALL_OUTCOMES) {
            const some = watch.shortfalls.filter((shortfall) => shortfall.outcome === outcome);
            this.set({ outcome }, some.length);
          }
        },
      }),
    );
    this.#own.registerMetric(
      new Gauge({
        name: 'turnout_unique_visitors',
        help: 'Different visitors that a variant served today (UTC), over all edges that share the store.',
        labelNames: ['experiment', 'phase', 'variant'],
        registers: [],
        async collect() {
          const day = utcDay(now());
          this.reset();
          const counts = watch.current.experiments.flatMap(({ key, phase, variants }) =>
            variants.map(async (variant) => {
              const labels = { experiment: key, phase: String(phase), variant };
              // A store out of reach gives no number, which is better than a wrong one.
              const count = await within(COUNT_WAIT, visitors.count(key, phase, variant, day));
              if (count !== undefined) this.set(labels, count);
            }),
          );
          await Promise.all(counts);
        },
      }),
    );
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** The exposition text of Prometheus. */
  async text(): Promise<string> {
    const workers = await this.#fleet.scrape();
    const own = await this.#own.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([...workers, this.#gone, own]).metrics();
  }

  /** What each variant has answered since this fleet started. */
  async traffic(): Promise<TrafficReport> {
    const workers = await this.#fleet.scrape();
    // Who follows the latest: a worker that lags still counts by an older one.
    const snapshot = workers.length === 0 ? 0 : Math.min(...workers.map(snapshotOf));
    return { run: this.#run, snapshot, ...trafficOf(sum([...workers, this.#gone])) };
  }
}

/** The revision that a worker decided by when it told of its counts. */
function snapshotOf(counts: MetricSnapshot): number {
  const metric = counts.find(({ name }) => name === 'turnout_snapshot_revision');
  return metric?.values[0]?.value ?? 0;
}

/** What `work` comes to; undefined when it fails, or takes longer. */
async function within<Value>(
  milliseconds: number,
  work: Promise<Value>,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

function isCumulative(metric: MetricSnapshot[number]): boolean {
  // prom-client types `type` as a numeric enum and fills it with a word.
  const type: unknown = metric.type;
  return type === 'counter' || type === 'histogram';
}

function sum(snapshots: readonly MetricSnapshot[]): MetricSnapshot {
  const total = new Map<string, MetricSnapshot[number]>();
  for (const metric of snapshots.flat()) {
    const so = total.get(metric.name);
    if (so === undefined) {
      total.set(metric.name, { ...metric, values: metric.values.map((value) => ({ ...value })) });
      continue;
    }
    const byKey = new Map(so.values.map((value) => [seriesKey(value), value]));
    for (const value of metric.values) {
      const known = byKey.get(seriesKey(value));
      if (known === undefined) so.values.push({ ...value });
      else known.value += value.value;
    }
  }
  return [...total.values()];
}

/** Values of a histogram also carry which of its series they are (`_bucket`, `_sum`, `_count`). */
function seriesKey(
  value: MetricSnapshot[number]['values'][number] & { metricName?: string },
): string {
  return `${value.metricName ?? ''}${JSON.stringify(value.labels)}`;
}
