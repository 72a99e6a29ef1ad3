import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { predicates, requests } from '../../test/arbitrary-rules.ts';
import { request } from '../../test/request.ts';
import type { PredicateDefinition } from './definition.ts';
import { compilePredicate } from './predicate.ts';
import { explainPredicate, explainRoute, explainScope } from './rule-trace.ts';

const asked = request('/plans/basic?beta=1&beta=2', {
  host: 'shop.example',
  countryHeader: 'cf-ipcountry',
  headers: {
    cookie: 'session=s3cret-of-cookie; theme=dark',
    authorization: 'Bearer s3cret-of-header',
    'x-beta': '0',
    'accept-language': 'de-AT,en;q=0.5',
    'cf-ipcountry': 'at',
    'user-agent': 'curl/8.14.1',
  },
});

test('agrees with the compiled predicate, part by part', () => {
  fc.assert(
    fc.property(predicates, requests, (definition, one) => {
      expect(explainPredicate(definition, one).holds).toBe(compilePredicate(definition)(one));
    }),
    { numRuns: 2_000 },
  );
});

describe('one rule', () => {
  test.each<[PredicateDefinition, boolean, rule: string, saw: string]>([
    [{ path: '/plans/**' }, true, 'path is like /plans/**', '"/plans/basic"'],
    [{ path: { exact: '/' } }, false, 'path is /', '"/plans/basic"'],
    [{ path: { prefix: '/plans' } }, true, 'path begins with /plans', '"/plans/basic"'],
    [{ path: { glob: '/*' } }, false, 'path is like /*', '"/plans/basic"'],
    [{ path: { regex: 'c$' } }, true, 'path matches /c$/', '"/plans/basic"'],
    [{ host: ['a', '*.example'] }, true, 'host is a or *.example', '"shop.example"'],
    [{ method: 'POST' }, false, 'method is POST', '"GET"'],
    [{ header: { name: 'X-Beta', value: '1' } }, false, 'header x-beta is "1"', '"0"'],
    [{ header: { name: 'x-none' } }, false, 'header x-none is there', 'nothing'],
    [
      { query: { name: 'beta', value: { glob: '2*' } } },
      true,
      'query parameter beta is like "2*"',
      '"1", "2"',
    ],
    [
      { query: { name: 'q', value: { regex: 'x' } } },
      false,
      'query parameter q matches /x/',
      'nothing',
    ],
    [{ language: ['de', 'fr'] }, true, 'first language is de or fr', '"de-AT"'],
    [{ device: 'mobile' }, false, 'device is mobile', '"other"'],
    [{ country: ['AT'] }, true, 'country is AT', '"AT"'],
    [{ bot: true }, true, 'bot is true', 'tool'],
    [{ bot: ['search', 'ai'] }, false, 'bot is search or ai', 'tool'],
    [{ cookie: { name: 'th*' } }, true, 'cookie th* is there', 'a value, not shown'],
    [
      { cookie: { name: 'theme', value: 'light' } },
      false,
      'cookie theme has the value wanted',
      'a value, not shown',
    ],
    [{ cookie: { name: 'x', value: 'y' } }, false, 'cookie x has the value wanted', 'nothing'],
  ])('%j: %s', (definition, holds, rule, saw) => {
    expect(explainPredicate(definition, asked)).toEqual({ rule, holds, saw });
  });

  test('cuts off a long value', () => {
    const long = request('/', { headers: { 'x-beta': 'a'.repeat(10_000) } });
    const { saw } = explainPredicate({ header: { name: 'x-beta' } }, long);
    expect(saw).toBe(`"${'a'.repeat(100)}…"`);
  });
});

test('no credential is told, neither the request’s nor the rule’s', () => {
  const secrets: PredicateDefinition[] = [
    { cookie: { name: 'session', value: 's3cret-of-cookie' } },
    { cookie: { name: '*', value: { glob: 's3cret-of-c*' } } },
    { header: { name: 'Authorization', value: 'Bearer s3cret-of-header' } },
    { header: { name: 'cookie', value: { regex: 's3cret-of-cookie' } } },
    { not: { header: { name: 'proxy-authorization', value: 's3cret' } } },
  ];
  const trace = explainPredicate({ all: secrets }, asked);
  expect(trace.holds).toBe(true);
  expect(JSON.stringify(trace)).not.toContain('s3cret');
});

test('a combination holds what its parts said', () => {
  expect(explainPredicate({ any: [{ not: { method: 'GET' } }, { country: 'AT' }] }, asked)).toEqual(
    {
      rule: 'any of',
      holds: true,
      parts: [
        {
          rule: 'not',
          holds: false,
          parts: [{ rule: 'method is GET', holds: true, saw: '"GET"' }],
        },
        { rule: 'country is AT', holds: true, saw: '"AT"' },
      ],
    },
  );
});

test('a scope and a route tell which of their conditions a request misses', () => {
  expect(
    explainScope({ paths: ['/', '/plans/**'], hosts: ['a.example'], when: { bot: false } }, asked),
  ).toEqual({
    rule: 'all of',
    holds: false,
    parts: [
      {
        rule: 'any of',
        holds: true,
        parts: [
          { rule: 'path is like /', holds: false, saw: '"/plans/basic"' },
          { rule: 'path is like /plans/**', holds: true, saw: '"/plans/basic"' },
        ],
      },
      { rule: 'host is a.example', holds: false, saw: '"shop.example"' },
      { rule: 'bot is false', holds: false, saw: 'tool' },
    ],
  });
  expect(explainRoute({ path: '/plans/**' }, asked)).toEqual({
    rule: 'all of',
    holds: true,
    parts: [{ rule: 'path is like /plans/**', holds: true, saw: '"/plans/basic"' }],
  });
});
