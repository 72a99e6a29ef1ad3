import { POPULATIONS, type ExperimentResults } from '@turnout/contracts/results';

const COLUMNS = [
  'experiment',
  'phase',
  'metric',
  'population',
  'variant',
  'is_control',
  'visitors',
  'conversions',
  'rate',
  'rate_low',
  'rate_high',
  'lift',
  'lift_low',
  'lift_high',
  'p',
  'decision',
  'fallback',
  'reported',
  'value',
] as const;
type Row = Readonly<Record<(typeof COLUMNS)[number], string | number | boolean | null>>;

/**
 * A row for each population and variant (RFC 4180). Shares are numbers from 0 to 1, at full
 * precision; what is not known is empty. Lifts and p are those of the always-valid comparison.
 */
export function resultsCsv(results: ExperimentResults): string {
  const rows = POPULATIONS.flatMap((population) =>
    results.analyses[population].arms.map((arm): Row => {
      const { key, isControl, visitors, conversions, rate } = arm;
      const comparison = results.analyses[population].comparisons.find((one) => one.key === key);
      const running = comparison?.alwaysValid;
      const known = running?.kind === 'known' ? running : undefined;
      const lift = known?.lift.kind === 'known' ? known.lift : undefined;
      const counts = results.counts.variants.find(({ variant }) => variant === key);
      return {
        experiment: results.experiment,
        phase: results.phase,
        metric: results.metric,
        population,
        variant: key,
        is_control: isControl,
        visitors,
        conversions,
        rate: rate.kind === 'known' ? rate.estimate : null,
        rate_low: rate.kind === 'known' ? rate.low : null,
        rate_high: rate.kind === 'known' ? rate.high : null,
        lift: lift?.estimate ?? null,
        lift_low: lift?.low ?? null,
        lift_high: lift?.high ?? null,
        p: known?.adjustedP ?? null,
        decision:
          comparison?.decision.kind === 'decided'
            ? comparison.decision.direction
            : comparison === undefined
              ? null
              : 'open',
        fallback: counts?.fallback ?? null,
        reported: counts?.reported ?? null,
        value: counts?.value ?? null,
      };
    }),
  );
  return [
    COLUMNS.join(','),
    ...rows.map((row) => COLUMNS.map((name) => field(row[name])).join(',')),
  ].join('\r\n');
}

/**
 * Keys hold no commas, no quotes, and do not begin as formulas do; but a spreadsheet that runs
 * what it opens must not depend on that. The apostrophe makes a text of it.
 */
function field(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
