import { describe, expect, test } from 'vitest';
import { forwardedElement, plainAddress } from './forwarded.ts';

describe('forwardedElement (RFC 7239 section 4)', () => {
  test.each([
    ['203.0.113.7', 'shop.example', 'for=203.0.113.7;host=shop.example;proto=https'],
    ['203.0.113.7', 'shop.example:8080', 'for=203.0.113.7;host="shop.example:8080";proto=https'],
    ['2001:db8::1', 'a', 'for="[2001:db8::1]";host=a;proto=https'],
    ['::ffff:203.0.113.7', 'a', 'for=203.0.113.7;host=a;proto=https'],
    ['::1', '[::1]:80', 'for="[::1]";host="[::1]:80";proto=https'],
    ['', 'a', 'for=unknown;host=a;proto=https'],
    ['1.1.1.1', 'a";for="6.6.6.6', 'for=1.1.1.1;host="a\\";for=\\"6.6.6.6";proto=https'],
    ['1.1.1.1', 'a\\', 'for=1.1.1.1;host="a\\\\";proto=https'],
    ['1.1.1.1', '', 'for=1.1.1.1;host="";proto=https'],
    ['1.1.1.1', undefined, 'for=1.1.1.1;proto=https'],
  ])('%s for %s', (address, host, expected) => {
    expect(forwardedElement({ address, host, proto: 'https' })).toBe(expected);
  });

  test('plainAddress leaves IPv6 alone', () => {
    expect(plainAddress('::ffff:7f00:1')).toBe('::ffff:7f00:1');
    expect(plainAddress('::1')).toBe('::1');
  });
});
