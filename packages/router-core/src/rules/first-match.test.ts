import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { predicates, requests } from '../../test/arbitrary-rules.ts';
import { naivelyHolds } from '../../test/naive-predicate.ts';
import { request } from '../../test/request.ts';
import type { PredicateDefinition } from './definition.ts';
import { compileFirstMatch } from './first-match.ts';
import { Place } from './problem.ts';
import { readRule } from './rule.ts';

function firstMatch(definitions: readonly PredicateDefinition[]) {
  return compileFirstMatch(
    definitions.flatMap((definition, item) => {
      const rule = readRule(definition, new Place());
      return rule === undefined ? [] : [{ rule, item }];
    }),
  );
}

test('is the first that holds, whatever is looked up', () => {
  // Lists of texts are what look-ups are made of: enough of them to collide.
  const exact = fc
    .record({
      name: fc.constantFrom('x-a', 'X-A', 'x-b'),
      value: fc.constantFrom('a', 'b', 'ab', 'c'),
    })
    .map((header): PredicateDefinition => ({ header }));
  const rules = fc.array(fc.oneof(exact, predicates), { maxLength: 10 });
  fc.assert(
    fc.property(rules, requests, (definitions, asked) => {
      const first = definitions.findIndex((definition) => naivelyHolds(definition, asked));
      expect(firstMatch(definitions)(asked)).toBe(first === -1 ? undefined : first);
    }),
    { numRuns: 3_000 },
  );
});

test('an earlier rule counts before a later one that is looked up', () => {
  const find = firstMatch([
    { header: { name: 'x-qa', value: { glob: 'a*' } } },
    { header: { name: 'x-qa', value: 'ab' } },
    { bot: true },
    { query: { name: 'qa', value: 'ab' } },
    { method: ['POST', 'GET'] },
  ]);
  const of = (target: string, headers: Readonly<Record<string, string>>) =>
    find(request(target, { headers }));
  expect(of('/', { 'x-qa': 'ab' })).toBe(0);
  expect(of('/?qa=c&qa=ab', { 'x-qa': 'b' })).toBe(3);
  expect(of('/?qa=ab', { 'user-agent': 'curl/8.14.1' })).toBe(2);
  expect(of('/', {})).toBe(4);
});
