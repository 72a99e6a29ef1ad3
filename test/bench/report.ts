import type { Scenario, Settings } from './arguments.ts';
import type { Spread, Summary } from './figures.ts';
import type { Machine } from './machine.ts';

/** What `--json` writes. */
export interface Report {
  readonly machine: Machine;
  readonly settings: Omit<Settings, 'json'>;
  readonly units: Readonly<Record<string, string>>;
  /** The contender that ratios are against. */
  readonly reference: string;
  readonly scenarios: readonly ScenarioReport[];
}

export interface ScenarioReport {
  readonly scenario: Scenario;
  readonly contenders: readonly Summary[];
}

export const UNITS = {
  requestsPerSecond: 'answers per second',
  p50: 'milliseconds',
  p99: 'milliseconds',
  cpu: 'microseconds of CPU time of all processes of the contender, per request',
};

const TITLES: Readonly<Record<Scenario, string>> = {
  returning: 'Returning visitors (each request carries a cookie of an earlier visit)',
  first: 'First visits (no cookie: each request makes and keeps a new visitor)',
};

/** What was measured, where; and whether the machine was too busy for it. */
export function heading(machine: Machine, settings: Omit<Settings, 'json'>): string {
  const { node, platform, cpu, cores, load } = machine;
  const { rounds, duration, connections } = settings;
  const busy =
    load > cores / 2
      ? `\nThe machine is busy (load average ${load.toFixed(1)}): of these figures, trust the ratios.`
      : '';
  return `Node ${node}, ${platform}, ${cpu}, ${cores} cores
Medians of ${rounds} rounds of ${duration} s, ${connections} connections; ratios: median (lowest–highest)${busy}`;
}

/** The table of one scenario: medians over the rounds, ratios as median (lowest–highest). */
export function scenarioTable({ scenario, contenders }: ScenarioReport, reference: string): string {
  const rows = contenders.map(({ contender, median, ratio }) => [
    contender,
    Math.round(median.requestsPerSecond).toLocaleString('en'),
    median.p50.toFixed(1),
    median.p99.toFixed(1),
    median.cpu.toFixed(1),
    ...(contender === reference
      ? ['1', '1']
      : [spread(ratio?.requestsPerSecond), spread(ratio?.cpu)]),
  ]);
  const head = [
    ['', '', 'p50', 'p99', 'CPU µs', `requests/s`, 'CPU'],
    ['', 'requests/s', 'ms', 'ms', '/request', `× ${reference}`, `× ${reference}`],
  ];
  return `${TITLES[scenario]}\n\n${aligned([...head, ...rows])}\n`;
}

function spread(ratio: Spread | undefined): string {
  if (ratio === undefined) return '–';
  const { median, min, max } = ratio;
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/** Columns two spaces apart: the first to the left, the others, which are figures, to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
