import { visitorId } from '@turnout/router-core';
import { expect, test } from 'vitest';
import { VisitorRate } from './visitor-rate.ts';

const anna = visitorId('AAAAAAAAAAAAAAAAAAAAAA');
const bert = visitorId('BBBBBBBBBBBBBBBBBBBBBA');

test('a visitor reports a hundred results at once, then two a second; all or nothing', () => {
  const rate = new VisitorRate();
  expect(rate.take(anna, 50, 0)).toBe(0);
  expect(rate.take(anna, 50, 0)).toBe(0);
  expect(rate.take(anna, 50, 0)).toBe(25);
  expect(rate.take(anna, 1, 0)).toBe(1);
  expect(rate.take(bert, 50, 0)).toBe(0);
  expect(rate.take(anna, 3, 1_000)).toBe(1);
  expect(rate.take(anna, 2, 1_000)).toBe(0);
  expect(rate.take(anna, 1, 1_000)).toBe(1);
  expect(rate.take(anna, 1, 1_500)).toBe(0);
});

test('who has been away has no more than a hundred', () => {
  const rate = new VisitorRate();
  rate.take(anna, 50, 0);
  expect(rate.take(anna, 50, 10_000_000)).toBe(0);
  expect(rate.take(anna, 50, 10_000_000)).toBe(0);
  expect(rate.take(anna, 1, 10_000_000)).toBe(1);
});

test('a clock that is put back takes nothing away', () => {
  const rate = new VisitorRate();
  rate.take(anna, 50, 1_000_000);
  expect(rate.take(anna, 50, 0)).toBe(0);
  expect(rate.take(anna, 1, 0)).toBe(1);
});
