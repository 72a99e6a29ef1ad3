import type { TrafficReport, VariantTraffic } from '@turnout/contracts/traffic';
import { FIRST_BYTES, type MetricSnapshot } from './metrics.ts';

type Series = MetricSnapshot[number]['values'][number];
type Counted = { -readonly [Key in keyof VariantTraffic]: VariantTraffic[Key] };

/** What each variant has answered, from the metrics that count it, added up over all workers. */
export function trafficOf(metrics: MetricSnapshot): Omit<TrafficReport, 'run' | 'snapshot'> {
  const variants = new Map<string, Counted>();
  /** Calls back with each series of a metric that belongs to a variant. */
  const each = (name: string, add: (counted: Counted, series: Series) => void): void => {
    for (const series of metrics.find((metric) => metric.name === name)?.values ?? []) {
      const experiment = String(series.labels['experiment'] ?? '');
      const variant = String(series.labels['variant'] ?? '');
      if (experiment === '' || variant === '') continue;
      const key = `${experiment}=${variant}`;
      const counted = variants.get(key) ?? nothingYet(experiment, variant);
      variants.set(key, counted);
      add(counted, series);
    }
  };

  each('turnout_requests_total', (counted, { labels, value }) => {
    if (labels['code'] === 'none') return;
    counted.requests += value;
    if (labels['code'] === '5xx') counted.serverErrors += value;
  });
  each('turnout_assignments_total', (counted, { labels, value }) => {
    if (labels['source'] === 'hash') counted.newVisitors += value;
  });
  each('turnout_first_byte_seconds', ({ firstByte }, { labels, value }) => {
    const { le } = labels;
    // The histogram's sum and count have none.
    if (le === undefined) return;
    const bucket = le === '+Inf' ? FIRST_BYTES.length : FIRST_BYTES.indexOf(Number(le));
    // Prometheus counts up to each bound: what the next bound has more lies between the two.
    firstByte[bucket] = (firstByte[bucket] ?? 0) + value;
    const next = firstByte[bucket + 1];
    if (next !== undefined) firstByte[bucket + 1] = next - value;
  });
  return { firstByteBounds: FIRST_BYTES, variants: [...variants.values()] };
}

function nothingYet(experiment: string, variant: string): Counted {
  const firstByte = Array.from({ length: FIRST_BYTES.length + 1 }, () => 0);
  return { experiment, variant, requests: 0, serverErrors: 0, newVisitors: 0, firstByte };
}
