import { expect, test } from 'vitest';
import { soar } from '../testing/plan-server.ts';
import type { ShopApi, SignUpOutcome } from './shop-api.ts';
import { signUpValue, tellingSignUps } from './sign-up-conversion.ts';

test('a sign-up is worth what the plan costs a month, in euros', () => {
  expect(signUpValue([{ ...soar, price: 1_850 }], soar.id)).toBe(18.5);
  expect(signUpValue([soar], 'albatross')).toBeUndefined();
  expect(signUpValue(null, soar.id)).toBeUndefined();
});

test('only a sign-up that is welcome is told', async () => {
  const form = { plan: 'soar', name: 'Ada', email: 'ada@example.org' };
  const outcomes: SignUpOutcome[] = [
    { kind: 'refused', errors: {} },
    { kind: 'unavailable' },
    { kind: 'welcome', name: 'Ada', plan: 'soar' },
  ];
  const told: string[] = [];
  for (const outcome of outcomes) {
    const api: ShopApi = { plans: async () => [soar], signUp: async () => outcome };
    const telling = tellingSignUps(api, (plan) => told.push(plan));
    expect(await telling.signUp(form)).toBe(outcome);
    expect(await telling.plans()).toEqual([soar]);
  }
  expect(told).toEqual(['soar']);
});
