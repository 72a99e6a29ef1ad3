import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ExperimentResults, PopulationAnalysis } from '@turnout/contracts/results';
import { expect, onTestFinished, test } from 'vitest';
import { openRepository } from '../apps/api/src/repository/open-repository.ts';
import { describeDatabases, query } from '../apps/api/src/testing/databases.ts';
import { exposure, idOf, testResult, visitorOf } from '../apps/api/src/testing/events.ts';
import { resultsCsv } from '../packages/cli/src/results/csv.ts';
import { sampleResults } from '../packages/cli/src/results/sample-results.ts';

const text = await readFile(resolve(import.meta.dirname, '../docs/results.md'), 'utf8');
const queries = [...text.matchAll(/```sql\n([^]*?);\n```/g)].map(([, sql = '']) => sql);

describeDatabases('docs/results.md', (kind) => {
  test('its queries do what they say', async () => {
    const location = await kind.fresh();
    const repository = await openRepository(location, {
      limit: 0,
      clock: () => 0,
      pause: async () => undefined,
      onRetry: () => undefined,
    });
    onTestFinished(() => repository.close());
    const experiment = 'home-redesign';
    const visitor = 'AAAAAAAAAAAAAAAAAAAAAA';
    await repository.tracking.store([
      exposure({ experiment, visitor }),
      exposure({ experiment, visitor: visitorOf(2) }),
      exposure({ experiment, visitor: visitorOf(3), assigned: 'A' }),
      exposure({ experiment, visitor: visitorOf(4), bot: 'search' }),
      testResult({ experiment, visitor, value: 12 }),
      testResult({ experiment, visitor, eventId: idOf(5), didConvert: false, metric: 'other' }),
    ]);
    await repository.tracking.setAside(
      [{ digest: 'd', text: 'x', reason: 'no JSON' }],
      new Date(0),
    );

    const [rates, times, reports, unreadable, ...more] = await Promise.all(
      queries.map((sql) => query(location, sql)),
    );
    expect(more).toEqual([]);
    // MySQL gives sums as decimals, which are texts.
    const figures = rates?.map(({ variant, visitors, conversions, rate }) =>
      [variant, visitors, conversions, rate].join(' '),
    );
    expect(figures).toEqual(
      kind.name === 'SQLite'
        ? ['A 1 0 0', 'control 2 1 0.5']
        : ['A 1 0 0.00000', 'control 2 1 0.50000'],
    );
    expect(times).toMatchObject([{ assigned: 'control', value: 12 }]);
    expect(reports?.map(({ metric }) => metric).toSorted()).toEqual(['other', 'signup']);
    expect(unreadable).toEqual([{ reason: 'no JSON', events: 1 }]);
  });
});

/** Names of all values in plain data; those of `analyses` are for docs/statistics.md to tell. */
type Names<Data, Prefix extends string = ''> = Data extends readonly (infer Each)[]
  ? Names<Each, `${Prefix}[]`>
  : Data extends PopulationAnalysis
    ? Prefix
    : Data extends object
      ? {
          [Name in keyof Data & string]: Names<
            NonNullable<Data[Name]>,
            Prefix extends '' ? Name : `${Prefix}.${Name}`
          >;
        }[keyof Data & string]
      : Prefix;

/** Between the two: the compiler compares it with the type, the test with the document. */
const NAMES = {
  experiment: true,
  title: true,
  status: true,
  phase: true,
  metric: true,
  'metrics[]': true,
  at: true,
  'trust.level': true,
  'trust.sentence': true,
  'trust.findings[]': true,
  verdict: true,
  'warnings[].kind': true,
  'warnings[].message': true,
  'excluded[].what': true,
  'excluded[].visitors': true,
  'excluded[].why': true,
  'counts.experiment': true,
  'counts.phase': true,
  'counts.metric': true,
  'counts.firstExposure': true,
  'counts.lastExposure': true,
  'counts.inTwoVariants': true,
  'counts.bots': true,
  'counts.variants[].variant': true,
  'counts.variants[].exposed': true,
  'counts.variants[].fallback': true,
  'counts.variants[].confirmed': true,
  'counts.variants[].reported': true,
  'counts.variants[].conversions': true,
  'counts.variants[].confirmedConversions': true,
  'counts.variants[].value': true,
  'counts.variants[].valueSquared': true,
  'counts.slices[].by': true,
  'counts.slices[].value': true,
  'analyses.raw': true,
  'analyses.confirmed': true,
} satisfies Record<Exclude<Names<ExperimentResults>, `counts.slices[].variants${string}`>, true>;

test('docs/results.md names all of the JSON, and every column of the CSV', () => {
  const [, section = ''] = text.split(/^## The JSON$/m);
  const [json = ''] = section.split(/^## /m);
  const named = [...json.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);
  const names = [...Object.keys(NAMES), 'counts.slices[].variants[]'];
  expect(named.toSorted()).toEqual(names.toSorted());
  const [columns = ''] = resultsCsv(sampleResults()).split('\r\n');
  for (const column of columns.split(',')) expect(json).toContain(`\`${column}\``);
});

test('docs/results.md names every warning and every metric of the drain', async () => {
  const contract = await readFile(
    resolve(import.meta.dirname, '../packages/contracts/src/results.ts'),
    'utf8',
  );
  const [, union = ''] =
    /interface ResultsWarning \{\s+readonly kind:([^;]*);/.exec(contract) ?? [];
  const kinds = [...union.matchAll(/'([a-z-]+)'/g)].map(([, kind]) => kind);
  const documented = [...text.matchAll(/^\| `([a-z-]+)` +\| /gm)].map(([, kind]) => kind);
  expect(documented.filter((kind) => kinds.includes(kind))).toEqual(kinds);
  const metrics = await readFile(
    resolve(import.meta.dirname, '../apps/api/src/tracking/drain-metrics.ts'),
    'utf8',
  );
  for (const [, name = ''] of metrics.matchAll(/name: '(\w+)'/g)) expect(text).toContain(name);
});
