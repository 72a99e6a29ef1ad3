/**
 * The value of one series in Prometheus' exposition text; 0 when it is not there, as a
 * counter that never counted.
 */
export function metricValue(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let total = 0;
  for (const line of text.split('\n')) {
    const [, found, inside = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found !== name) continue;
    const series = inside.split(/,(?=\w+=")/);
    if (wanted.every((label) => series.includes(label))) total += Number(value);
  }
  return total;
}
