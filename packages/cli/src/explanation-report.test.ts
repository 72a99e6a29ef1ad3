import type { Explanation } from '@turnout/contracts/explanation';
import { describe, expect, test } from 'vitest';
import { requestHeaders } from './explain-command.ts';
import { showExplanation } from './explanation-report.ts';

const plain = { style: (_: string, words: string) => words };

const explanation: Explanation = {
  request: { method: 'GET', host: 'localhost', path: '/plans', kind: 'navigation' },
  revision: 12,
  steps: [
    { step: 'host', detail: 'localhost is answered' },
    {
      step: 'experiment',
      detail: 'home takes it',
      rules: [
        {
          rule: 'all of',
          holds: false,
          parts: [
            { rule: 'any of', holds: true, parts: [{ rule: 'device is mobile', holds: true }] },
            { rule: 'header x-beta is "1"', holds: false, saw: '"0"' },
          ],
        },
      ],
    },
  ],
  outcome: { upstream: 'vue', experiment: 'home', variant: 'B', source: 'hash', counted: true },
};

test('steps are told in order, rules as a tree with what the request had', () => {
  expect(showExplanation(explanation, plain)).toBe(
    [
      'GET localhost/plans',
      'navigation, snapshot revision 12',
      '',
      'host        localhost is answered',
      'experiment  home takes it',
      '            ✗ all of',
      '            ├ ✓ any of',
      '            │ └ ✓ device is mobile',
      '            └ ✗ header x-beta is "1"  (has "0")',
      '',
      '→ upstream vue, experiment home, variant B (hash), counted',
    ].join('\n'),
  );
});

test('what the edge answers itself', () => {
  const { revision: _, ...rest } = explanation;
  const shown = showExplanation({ ...rest, outcome: { status: 421, counted: false } }, plain);
  expect(shown).toContain('navigation, no published snapshot');
  expect(shown).toContain('→ answered by the edge itself, status 421, not counted');
});

describe('the headers of the request', () => {
  test('a page is opened unless they say otherwise', () => {
    expect(requestHeaders([], [])).toEqual({ accept: 'text/html' });
    expect(requestHeaders(['Accept: */*'], [])).toEqual({ accept: '*/*' });
  });
  test('those that are there twice are joined', () => {
    const lines = ['X-A:1', 'x-a: 2 ', 'Cookie: c=3'];
    expect(requestHeaders(lines, ['a=1', 'b=2'])).toMatchObject({
      'x-a': '1, 2',
      cookie: 'c=3; a=1; b=2',
    });
  });
  test.each(['no header', ': x', 'a b: c'])('%j is none', (line) => {
    expect(() => requestHeaders([line], [])).toThrow(`got "${line}".`);
  });
});
