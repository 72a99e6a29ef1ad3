import { visitorId } from '@turnout/router-core';
import { expect, test } from 'vitest';
import { FirstSightings } from './first-sightings.ts';

const anna = visitorId('AAAAAAAAAAAAAAAAAAAAAA');
const bert = visitorId('BBBBBBBBBBBBBBBBBBBBBA');
const carl = visitorId('CCCCCCCCCCCCCCCCCCCCCA');

test('a visitor is seen first once in each phase of each experiment', () => {
  const sightings = new FirstSightings();
  expect(sightings.isFirst(anna, 'home', 1)).toBe(true);
  expect(sightings.isFirst(anna, 'home', 1)).toBe(false);
  expect(sightings.isFirst(bert, 'home', 1)).toBe(true);
  expect(sightings.isFirst(anna, 'home', 2)).toBe(true);
  expect(sightings.isFirst(anna, 'price', 1)).toBe(true);
  for (const [experiment, phase] of [
    ['home', 1],
    ['home', 2],
    ['price', 1],
  ] as const) {
    expect(sightings.isFirst(anna, experiment, phase)).toBe(false);
  }
});

test('who has not come for longest is forgotten first', () => {
  const sightings = new FirstSightings(2);
  sightings.isFirst(anna, 'home', 1);
  sightings.isFirst(bert, 'home', 1);
  sightings.isFirst(anna, 'home', 1);
  sightings.isFirst(carl, 'home', 1);
  expect(sightings.isFirst(anna, 'home', 1)).toBe(false);
  expect(sightings.isFirst(bert, 'home', 1)).toBe(true);
});

test('cleared, it knows nobody', () => {
  const sightings = new FirstSightings();
  sightings.isFirst(anna, 'home', 1);
  sightings.clear();
  expect(sightings.isFirst(anna, 'home', 1)).toBe(true);
});
