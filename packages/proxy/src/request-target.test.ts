import { expect, test } from 'vitest';
import { originForm } from './request-target.ts';

test.each([
  ['/', '/'],
  ['/a?b#c', '/a?b#c'],
  ['//a//b', '//a//b'],
  ['/http://shop.example/', '/http://shop.example/'],
  ['http://shop.example/a/../b?c=http://x/', '/a/../b?c=http://x/'],
  ['HTTPS://shop.example:8443/%20', '/%20'],
  ['http://shop.example', '/'],
  ['http://shop.example?q', '/?q'],
  ['http://shop.example//elsewhere.example/', '//elsewhere.example/'],
  ['http://[::1]:8080/a', '/a'],
  ['http://shop.example:/a', '/a'],
])('GET %s asks for %s', (target, expected) => {
  expect(originForm(target, 'GET')).toBe(expected);
});

test.each([
  '',
  '*',
  'a',
  '?q',
  'shop.example:80',
  'http:',
  'http:/a',
  'http://',
  'http:///a',
  'http://[',
  'http://[::1/a',
  'http://a:b/',
  'http://a@shop.example/',
  'http://a:b@c:99999/',
  'ftp://a/',
])('GET %s asks for nothing', (target) => {
  expect(originForm(target, 'GET')).toBeUndefined();
});

test.each([
  ['*', '*'],
  ['http://shop.example', '*'],
  ['http://shop.example:80', '*'],
  ['http://shop.example/', '/'],
  ['http://shop.example?q', '/?q'],
  ['/', '/'],
])('OPTIONS %s asks for %s', (target, expected) => {
  expect(originForm(target, 'OPTIONS')).toBe(expected);
});
