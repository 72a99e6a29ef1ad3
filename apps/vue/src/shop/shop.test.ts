import { expect, test } from 'vitest';
import { soar } from '../testing/plan-server.ts';
import { createShop } from './shop.ts';

test('plans are fetched once a minute, and outlive an outage', async () => {
  let time = 0;
  let down = false;
  let calls = 0;
  const shop = createShop(
    {
      plans: async () => {
        calls += 1;
        if (down) throw new Error('down');
        return [{ ...soar, price: calls }];
      },
      signUp: async () => ({ kind: 'unavailable' }),
    },
    { plans: null, posted: null },
    () => time,
  );
  const price = () => shop.state.plans?.[0]?.price;

  await shop.loadPlans();
  time = 59_999;
  await shop.loadPlans();
  expect([calls, price()]).toEqual([1, 1]);

  down = true;
  time = 60_000;
  await shop.loadPlans();
  expect([calls, price()]).toEqual([2, 1]);

  down = false;
  await shop.loadPlans();
  expect([calls, price()]).toEqual([3, 3]);
});
