import { stripVTControlCharacters, styleText } from 'node:util';
import { expect, test } from 'vitest';
import { error, ok, warning } from './finding.ts';
import { reportJson, reportText } from './report.ts';

const told = { where: 'next /', expected: 'a page', got: 'status 500', fix: 'Look into its log' };
const EXAMINED = [
  { name: 'upstreams', title: 'Upstreams answer', findings: [ok('control /', '200'), error(told)] },
  { name: 'caching', title: 'Caching', findings: [warning(told)] },
  { name: 'cookies', title: 'Cookies', findings: [] },
];

test('for people: by check, those with nothing to say left out', () => {
  expect(reportText(EXAMINED, (_, words) => words)).toBe(`Upstreams answer
  ✓ control /: 200
  ✗ next /
      expected a page
      got      status 500
      fix      Look into its log

Caching
  ! next /
      expected a page
      got      status 500
      fix      Look into its log

1 error, 1 warning.`);
});

test('coloured for terminals, with the same words', () => {
  const coloured = reportText(EXAMINED, (style, words) =>
    styleText(style, words, { validateStream: false }),
  );
  expect(coloured).toContain('\u001B[31m✗\u001B[39m next /');
  expect(stripVTControlCharacters(coloured)).toBe(reportText(EXAMINED, (_, words) => words));
});

test('for scripts: every check, by name', () => {
  expect(JSON.parse(reportJson(EXAMINED))).toEqual({
    errors: 1,
    warnings: 1,
    checks: [
      {
        name: 'upstreams',
        findings: [
          { level: 'ok', where: 'control /', got: '200' },
          { level: 'error', ...told },
        ],
      },
      { name: 'caching', findings: [{ level: 'warning', ...told }] },
      { name: 'cookies', findings: [] },
    ],
  });
});
