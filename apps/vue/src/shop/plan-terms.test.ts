import { expect, test } from 'vitest';
import { soar } from '../testing/plan-server.ts';
import { commitmentText, dataText, featuredPlans, priceText } from './plan-terms.ts';

test.each([
  [0, '€0'],
  [1500, '€15'],
  [1250, '€12.50'],
  [1205, '€12.05'],
  [123_400, '€1,234'],
])('%i cents are %s', (price, text) => {
  expect(priceText({ price })).toBe(text);
});

test('data and minimum terms', () => {
  expect(dataText({ data: null })).toBe('Unlimited');
  expect(dataText({ data: 20 })).toBe('20 GB');
  expect([0, 1, 12].map((commitment) => commitmentText({ commitment }))).toEqual([
    'None',
    '1 month',
    '12 months',
  ]);
});

test('the popular plan is always featured, and the order stays', () => {
  const plans = ['a', 'b', 'c', 'd'].map((id) => ({ ...soar, id, popular: id === 'd' }));
  expect(featuredPlans(plans, 3).map(({ id }) => id)).toEqual(['a', 'b', 'd']);
  expect(featuredPlans(plans.slice(0, 2), 3)).toHaveLength(2);
});
