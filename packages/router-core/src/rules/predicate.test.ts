import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import cases from '../../../../test/cases/predicates.json' with { type: 'json' };
import { predicates, requests } from '../../test/arbitrary-rules.ts';
import { naivelyHolds } from '../../test/naive-predicate.ts';
import { request } from '../../test/request.ts';
import type { PredicateDefinition } from './definition.ts';
import { PredicateError, compilePredicate } from './predicate.ts';
import { createRequestTraits } from './request-traits.ts';

interface Case {
  readonly predicate: object;
  readonly holds: boolean;
}

describe('the case table', () => {
  for (const { request: asked, predicates: table } of cases) {
    const rows: readonly Case[] = table;
    const { method, target, host, headers, countryHeader } = asked;
    const byName = new Map(headers.map(([name = '', value = '']) => [name, value]));
    const traits = createRequestTraits({
      method,
      target,
      host,
      header: (name) => byName.get(name),
      countryHeader,
    });
    test.each(rows)(`${method} ${target}: $predicate: $holds`, ({ predicate, holds }) => {
      const definition: PredicateDefinition = JSON.parse(JSON.stringify(predicate));
      expect(compilePredicate(definition)(traits)).toBe(holds);
    });
  }
});

describe('compilePredicate', () => {
  test('means what the grammar says, however alternatives are put together', () => {
    fc.assert(
      fc.property(predicates, requests, (definition, asked) => {
        expect(compilePredicate(definition)(asked)).toBe(naivelyHolds(definition, asked));
      }),
      { numRuns: 5_000 },
    );
  });

  test('asks a request once for what a list of alternatives looks at', () => {
    let times = 0;
    const traits = createRequestTraits({
      method: 'GET',
      target: '/',
      host: 'localhost',
      header: () => {
        times += 1;
        return 'of-none';
      },
    });
    const predicate = compilePredicate({
      any: Array.from({ length: 1_000 }, (_, at) => ({
        header: { name: at % 2 === 0 ? 'x-user' : 'X-User', value: `user-${at}` },
      })),
    });
    expect(predicate(traits)).toBe(false);
    expect(times).toBe(1);
  });

  test('answers a pattern that would take a backtracking engine for ever', () => {
    const holds = compilePredicate({ header: { name: 'x', value: { regex: '(a+)+$' } } });
    const began = performance.now();
    expect(holds(request('/', { headers: { x: `${'a'.repeat(50_000)}b` } }))).toBe(false);
    expect(holds(request('/', { headers: { x: 'a'.repeat(50_000) } }))).toBe(true);
    // A backtracking engine would not be done in the lifetime of the universe.
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test.each([
    ['(', 'missing closing ): `(`'],
    ['a{2,1}', 'invalid repeat count: `{2,1}`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
  ])('says where and what in the regular expression %s', (regex, why) => {
    const compile = () => compilePredicate({ all: [{ method: 'GET' }, { path: { regex } }] });
    expect(compile).toThrow(TypeError);
    expect(compile).toThrow(
      `all.1.path.regex: expected a regular expression in RE2 syntax, got ${JSON.stringify(regex)}: ${why}`,
    );
  });

  test('throws with every problem', () => {
    const definition: PredicateDefinition = {
      any: [{ path: 'x' }, { not: { country: 'Austria' } }, { host: '*' }],
    };
    expect(() => compilePredicate(definition)).toThrow(PredicateError);
    expect(() => compilePredicate(definition)).toThrow(
      /^any\.0\.path: .*; any\.1\.not\.country: .*; any\.2\.host: /,
    );
  });
});
