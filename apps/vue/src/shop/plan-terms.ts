import type { Plan } from '@turnout/contracts/product';

/** Price per month as text: `€15`, `€12.50`. */
export function priceText({ price, currency }: Pick<Plan, 'price' | 'currency'>): string {
  return new Intl.NumberFormat('en-IE', {
    style: 'currency',
    currency,
    minimumFractionDigits: price % 100 === 0 ? 0 : 2,
  }).format(price / 100);
}

/** Monthly data as text: `20 GB`, `Unlimited`. */
export function dataText({ data }: Pick<Plan, 'data'>): string {
  return data === null ? 'Unlimited' : `${data} GB`;
}

/** Minimum term as text: `None`, `12 months`. */
export function commitmentText({ commitment }: Pick<Plan, 'commitment'>): string {
  if (commitment === 0) return 'None';
  return commitment === 1 ? '1 month' : `${commitment} months`;
}

/** Up to `count` plans for the home page: the popular one first in line, in their own order. */
export function featuredPlans(plans: readonly Plan[], count: number): readonly Plan[] {
  const chosen = new Set(
    plans.toSorted((a, b) => Number(b.popular) - Number(a.popular)).slice(0, count),
  );
  return plans.filter((plan) => chosen.has(plan));
}
