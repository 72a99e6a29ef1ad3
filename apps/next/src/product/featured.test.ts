import type { Plan } from '@turnout/contracts/product';
import { expect, test } from 'vitest';
import { featuredPlans } from './featured.ts';

function plan(id: string, popular = false): Plan {
  return {
    id,
    name: id,
    tagline: '',
    price: 1000,
    currency: 'EUR',
    data: 1,
    roaming: 1,
    speed: 1,
    commitment: 0,
    highlights: [],
    popular,
  };
}

function featuredIds(plans: readonly Plan[]): string[] {
  return featuredPlans(plans).map(({ id }) => id);
}

test('takes the first three', () => {
  expect(featuredIds([plan('a'), plan('b'), plan('c'), plan('d')])).toEqual(['a', 'b', 'c']);
});

test('never leaves out the popular plan, and keeps the order', () => {
  const plans = [plan('a'), plan('b'), plan('c'), plan('d', true), plan('e')];
  expect(featuredIds(plans)).toEqual(['a', 'b', 'd']);
});

test('shows what there is when there are fewer', () => {
  expect(featuredIds([plan('a', true)])).toEqual(['a']);
  expect(featuredIds([])).toEqual([]);
});
