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

test('a visitor can be forgotten, and nobody else is', () => {
  const sightings = new FirstSightings();
  for (const visitor of [anna, bert]) sightings.isFirst(visitor, 'home', 1);
  sightings.forget(anna);
  expect(sightings.isFirst(anna, 'home', 1)).toBe(true);
  expect(sightings.isFirst(bert, 'home', 1)).toBe(false);
});

test('of one visitor 32 phases are remembered, however many there were', () => {
  const sightings = new FirstSightings();
  for (let phase = 1; phase <= 10_000; phase += 1) sightings.isFirst(anna, 'home', phase);
  const isNew = (phase: number): boolean => sightings.isFirst(anna, 'home', phase);
  const last = Array.from({ length: 32 }, (_, index) => 10_000 - index);
  expect(last.filter(isNew)).toEqual([]);
  expect(isNew(1)).toBe(true);
});
