import * as fc from 'fast-check';
import { BOT_CLASSES, DEVICES } from '../src/rules/definition.ts';
import type { PredicateDefinition } from '../src/rules/definition.ts';
import type { RequestTraits } from '../src/rules/request-traits.ts';
import { request } from './request.ts';

/** Few words, so that random rules and random requests meet. */
const word = fc.constantFrom('a', 'b', 'ab', 'c');
const name = fc.constantFrom('x-a', 'x-b');
const segment = fc.constantFrom('a', 'b', 'ab', '');
const path = fc.array(segment, { maxLength: 3 }).map((all) => `/${all.join('/')}`);
const normalised = path.map((text) => text.replaceAll(/\/{2,}/g, '/'));
const host = fc.constantFrom('shop.example', 'a.shop.example', 'b.example', '[::1]');
const device = fc.constantFrom(...DEVICES);
const botClass = fc.constantFrom(...BOT_CLASSES);
const country = fc.constantFrom('DE', 'AT', 'CH');

export const USER_AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'curl/8.14.1',
] as const;

function oneOrMore<Item>(item: fc.Arbitrary<Item>): fc.Arbitrary<Item | Item[]> {
  return fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
}

const textPattern = fc.oneof(
  word,
  fc.constantFrom('a*', '*b', '*', '*a*').map((glob) => ({ glob })),
  fc.constantFrom('^a', 'b$', 'a|c', '^(?:ab)+$').map((regex) => ({ regex })),
);
const glob = fc
  .array(fc.oneof(segment, fc.constantFrom('*', 'a*', '**')), { maxLength: 3 })
  .map((all) => `/${all.join('/')}`.replaceAll(/\/{2,}/g, '/'));
const pathPattern = fc.oneof(
  glob,
  normalised.map((exact) => ({ exact })),
  normalised.map((prefix) => ({ prefix })),
  glob.map((text) => ({ glob: text })),
  fc.constantFrom('^/a', 'b/?$', '/(?:a|ab)/').map((regex) => ({ regex })),
);

function named(names: fc.Arbitrary<string>) {
  return fc.oneof(fc.record({ name: names }), fc.record({ name: names, value: textPattern }));
}

/** Any predicate of the grammar, three combinations deep at most. */
export const predicates: fc.Arbitrary<PredicateDefinition> = fc.letrec<{
  predicate: PredicateDefinition;
}>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    fc.record({ path: pathPattern }),
    fc.record({ host: oneOrMore(fc.oneof(host, fc.constant('*.example'))) }),
    fc.record({ method: oneOrMore(fc.constantFrom('GET', 'POST')) }),
    fc.record({ header: named(fc.oneof(name, fc.constant('X-A'))) }),
    fc.record({ cookie: named(fc.constantFrom('a', 'ab', 'a*', '*b', '*')) }),
    fc.record({ query: named(word) }),
    fc.record({ language: oneOrMore(fc.constantFrom('de', 'de-AT', 'DE-at', 'en')) }),
    fc.record({ device: oneOrMore(device) }),
    fc.record({ country: oneOrMore(country) }),
    fc.record({ bot: fc.oneof(fc.boolean(), oneOrMore(botClass)) }),
    fc.record({ not: tie('predicate') }),
    fc.record({ all: fc.array(tie('predicate'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ any: fc.array(tie('predicate'), { minLength: 1, maxLength: 6 }) }),
  ),
})).predicate;

const cookie = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'ab', 'c'), fc.constantFrom('=', '=a', '=ab', '')), {
    maxLength: 3,
  })
  .map((pairs) => pairs.map((pair) => pair.join('')).join('; '));
const query = fc
  .array(fc.tuple(word, fc.constantFrom('', '=a', '=%61b', '=c%')), { maxLength: 3 })
  .map((pairs) => pairs.map((pair) => pair.join('')).join('&'));

/** Requests of which such predicates ask something. */
export const requests: fc.Arbitrary<RequestTraits> = fc
  .record({
    target: fc.tuple(path, query).map((parts) => parts.join('?')),
    method: fc.constantFrom('GET', 'POST', 'HEAD'),
    host,
    headers: fc.record(
      {
        cookie,
        'x-a': word,
        'x-b': word,
        'user-agent': fc.constantFrom(...USER_AGENTS),
        'sec-ch-ua-mobile': fc.constantFrom('?0', '?1'),
        'accept-language': fc.constantFrom('de', 'de-AT, en;q=0.5', 'en;q=0.5, de-at', '*', ''),
        'cf-ipcountry': fc.constantFrom('de', 'AT', 'XX'),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ target, ...parts }) => request(target, { ...parts, countryHeader: 'cf-ipcountry' }));
