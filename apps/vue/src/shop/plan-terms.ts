import type { Plan } from '@turnout/contracts/product';

// Made once: making a format takes longer than rendering the rest of a plan.
const wholeEuros = priceFormat(0);
const eurosAndCents = priceFormat(2);

function priceFormat(fractionDigits: number): Intl.NumberFormat {
  return new Intl.NumberFormat('en-IE', {
    style: 'currency',
    currency: 'EUR',
    minimumFractionDigits: fractionDigits,
    maximumFractionDigits: fractionDigits,
  });
}

/** Price per month as text: `€15`, `€12.50`. */
export function priceText({ price }: Pick<Plan, 'price'>): string {
  return (price % 100 === 0 ? wholeEuros : eurosAndCents).format(price / 100);
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
