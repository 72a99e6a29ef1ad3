import { analyze } from '@turnout/stats';
import { Parser } from 'htmlparser2';
import { describe, expect, test } from 'vitest';
import { resultsCsv } from './csv.ts';
import { forestSvg } from './forest-svg.ts';
import { resultsPage } from './page.ts';
import { showResults } from './report.ts';
import { sampleResults, withheldResults } from './sample-results.ts';

const plain = { style: (_: string, words: string) => words, columns: undefined };

describe('on a terminal', () => {
  test('trust comes first, then the verdict and what it rests on', () => {
    const [headline, trust, verdict, warnings, raw, table] = showResults(
      sampleResults(),
      plain,
    ).split('\n\n');
    expect([headline, trust, verdict, warnings, raw]).toEqual([
      'home, phase 2: signup, 2026-11-24 12:00 UTC',
      '✓ The split is as planned (p 1).',
      'A converts better than control.',
      '! It has run for 3 full days.',
      'All visitors, but for declared bots',
    ]);
    expect(table).toMatch(/^A +50 % +20,000 +1,400 +7\.0 %/m);
  });

  test('what is withheld is not shown, and how to see it is', () => {
    const words = showResults(withheldResults(), plain);
    expect(words).toMatch(/^✗ The split is broken\.\n {2}By day, on Friday\.$/m);
    expect(words).toMatch(/--anyway/);
    expect(words).not.toMatch(/LIFT/);
    expect(showResults(sampleResults(), plain)).not.toMatch(/--anyway/);
  });
});

function parsed(page: string): { elements: string[]; texts: string[] } {
  const elements: string[] = [];
  const texts: string[] = [];
  const parser = new Parser({
    onopentagname: (name) => elements.push(name),
    ontext: (text) => texts.push(text),
  });
  parser.end(page);
  return { elements, texts };
}

describe('as a page', () => {
  test('every text stands as it is, whatever is in it', () => {
    const text = `"><script>alert("1")</script> & 'more'`;
    const sample = sampleResults();
    const { raw } = sample.analyses;
    const analysis = {
      ...raw,
      control: text,
      arms: raw.arms.map((arm) => ({ ...arm, key: text })),
      comparisons: raw.comparisons.map((comparison) => ({ ...comparison, key: text })),
    };
    const page = resultsPage({
      ...sample,
      experiment: text,
      title: text,
      metric: text,
      verdict: text,
      trust: { ...sample.trust, sentence: text, findings: [text] },
      warnings: [{ kind: 'short', message: text }],
      excluded: [{ what: 'bots', visitors: 1, why: text }],
      analyses: { raw: analysis, confirmed: analysis },
    });
    const { elements, texts } = parsed(page);
    expect(elements).not.toContain('script');
    // Title and heading, experiment and metric, trust twice, verdict, warning, left out; and in
    // each population two arms, control, and the variant in plot and table.
    expect(texts.join('').split(text)).toHaveLength(1 + 9 + 2 * 5);
  });

  test('it needs nothing from elsewhere, and may load nothing', () => {
    const page = resultsPage(sampleResults());
    const { elements } = parsed(page);
    expect(elements.filter((name) => /script|link|img|iframe|object|base|form/.test(name))).toEqual(
      [],
    );
    expect(page).not.toMatch(/https?:|url\(|@import|\son\w+=/);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test('what is withheld is not on it', () => {
    expect(resultsPage(withheldResults())).not.toMatch(/<svg|Decision/);
    expect(resultsPage(sampleResults())).toMatch(/<svg[^]*Decision/);
  });
});

test('a forest plot keeps limits that are none, or far away, within its borders', () => {
  const svg = forestSvg([
    { name: 'A', low: -1, high: null, estimate: null, words: 'anything' },
    { name: 'B', low: -0.1, high: 400, estimate: 12, words: 'much' },
  ]);
  const places = [...svg.matchAll(/ (?:x1|x2)="([\d.-]+)"/g)].map(([, at]) => Number(at));
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...places)).toBeLessThanOrEqual(640);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('CSV has a field for each title, and leaves empty what is not known', () => {
  const lines = resultsCsv(withheldResults()).split('\r\n');
  expect(lines).toHaveLength(5);
  const [titles = [], ...rows] = lines.map((line) => line.split(','));
  for (const row of rows) {
    expect(row).toHaveLength(titles.length);
    expect(row[titles.indexOf('lift')]).toBe('');
    expect(Number(row[titles.indexOf('rate')])).toBeGreaterThan(0.04);
  }
  const quoted = resultsCsv(sampleResults({ experiment: 'a "b",c' }));
  expect(quoted).toContain('\r\n"a ""b"",c",2,signup,raw,control,true,20000,1000,0.05,');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1'])('CSV makes no formula of %j', (experiment) => {
  const [, row = ''] = resultsCsv(sampleResults({ experiment })).split('\r\n');
  expect(row.startsWith(`'${experiment},2,signup,`)).toBe(true);
});

test('CSV leaves numbers below 0 as they are', () => {
  const raw = analyze({
    arms: [
      { key: 'control', weight: 50, visitors: 20_000, conversions: 1_400 },
      { key: 'A', weight: 50, visitors: 20_000, conversions: 1_000 },
    ],
  });
  expect(resultsCsv(sampleResults({ analyses: { raw, confirmed: raw } }))).toMatch(
    /,-0\.\d+,-0\.\d+,-0\.\d+,/,
  );
});
