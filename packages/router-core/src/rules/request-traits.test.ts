import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { USER_AGENTS } from '../../test/arbitrary-rules.ts';
import { request } from '../../test/request.ts';
import { createRequestTraits } from './request-traits.ts';

const [firefox, iphone, ipad, googlebot, gptbot, curl] = USER_AGENTS;
const from = (userAgent: string, headers: Readonly<Record<string, string>> = {}) =>
  request('/', { headers: { 'user-agent': userAgent, ...headers } });

test('nothing is looked at before a rule asks', () => {
  const source = {
    method: 'GET',
    host: 'localhost',
    get target(): string {
      throw new Error('asked for the target');
    },
    header(name: string): string {
      throw new Error(`asked for ${name}`);
    },
  };
  const traits = createRequestTraits(source);
  expect(traits.method).toBe('GET');
  expect(traits.host).toBe('localhost');
  expect(() => traits.path).toThrow('asked for the target');
  expect(() => traits.languages).toThrow('asked for accept-language');
  expect(traits.country).toBeUndefined();
});

test('path and host are normalised', () => {
  const traits = request('/a/../%62//c?d', { host: 'Shop.EXAMPLE.:8080' });
  expect([traits.path, traits.host]).toEqual(['/b/c', 'shop.example']);
});

test.each<[target: string, values: string[]]>([
  ['/', []],
  ['/?', []],
  ['/?q', ['']],
  ['/?q=a&p=b&q=c', ['a', 'c']],
  ['/?%71=a+b%20c', ['a b c']],
  ['/?q=%zz%e4%', ['%zz\uFFFD%']],
  ['/?q=a?b#?q=c', ['a?b']],
  ['/#?q=a', []],
  ['http://x/?q=a', ['a']],
  ['/?__proto__=1&q=a', ['a']],
])('the query of %s', (target, values) => {
  expect(request(target).query('q')).toEqual(values);
});

test.each<[header: string | undefined, languages: string[]]>([
  [undefined, []],
  ['', []],
  ['de-AT,de;q=0.9,en;q=0.5', ['de-AT', 'de', 'en']],
  ['en;q=0.5, de-AT', ['de-AT', 'en']],
  ['de;q=0, en', ['en']],
  [';;,*;q=0,q', ['q']],
])('the languages of %s', (header, languages) => {
  const headers = header === undefined ? {} : { 'accept-language': header };
  expect(request('/', { headers }).languages).toEqual(languages);
});

describe('device', () => {
  test.each([
    ['a desktop', firefox, 'desktop'],
    ['a phone', iphone, 'mobile'],
    ['a tablet', ipad, 'tablet'],
    ['a crawler', googlebot, 'other'],
    ['a library', curl, 'other'],
    ['nothing', '', 'other'],
  ])('of %s', (_, userAgent, device) => {
    expect(from(userAgent).device).toBe(device);
  });

  test('is what the browser says before what its user agent says', () => {
    expect(from(firefox, { 'sec-ch-ua-mobile': '?1' }).device).toBe('mobile');
    expect(from(ipad, { 'sec-ch-ua-mobile': '?0' }).device).toBe('tablet');
  });
});

describe('bot class', () => {
  test.each([
    ['a browser', firefox, 'none'],
    ['a search engine', googlebot, 'search'],
    ['a language model', gptbot, 'ai'],
    ['a library', curl, 'tool'],
    ['a bot that no list knows', 'ExampleUnheardOfBot/1.0', 'other'],
    ['nothing', '', 'none'],
  ])('of %s', (_, userAgent, botClass) => {
    expect(from(userAgent).botClass).toBe(botClass);
  });
});

describe('country', () => {
  const headers = { 'cf-ipcountry': ' de ', 'x-country': 'AT' };
  test('comes from the header that the configuration names, and from no other', () => {
    expect(request('/', { headers, countryHeader: 'cf-ipcountry' }).country).toBe('DE');
    expect(request('/', { headers, countryHeader: 'x-none' }).country).toBeUndefined();
    expect(request('/', { headers }).country).toBeUndefined();
  });
});

test('no request makes any of it throw', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(text, text, text, (target, value, name) => {
      const headers = {
        'user-agent': value,
        'accept-language': value,
        'sec-ch-ua-mobile': value,
        cookie: value,
      };
      const traits = request(target, { host: value, headers, countryHeader: 'cookie' });
      const { path, host, languages, device, country, botClass } = traits;
      expect([path, host, languages, device, country, botClass, traits.query(name)]).toHaveLength(
        7,
      );
    }),
    { numRuns: 1_000 },
  );
});

test('hostile headers take little time', () => {
  const pieces = ['a', ' ', '1.', '1_', '(', 'a,', ';q=', 'Mozilla/5.0 (', 'android ', 'bot '];
  const began = performance.now();
  for (const piece of pieces) {
    const value = piece.repeat(16_000 / piece.length);
    const traits = request(`/?${value}`, {
      headers: { 'user-agent': value, 'accept-language': value },
    });
    expect([traits.device, traits.botClass, traits.languages, traits.query('a')]).toHaveLength(4);
  }
  expect(performance.now() - began).toBeLessThan(5_000);
});
