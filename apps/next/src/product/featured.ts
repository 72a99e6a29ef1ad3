import type { Plan } from '@turnout/contracts/product';

/**
 * The plans for the front page: at most `count`, popular ones before others,
 * shown in the order of the list (cheapest first).
 */
export function featuredPlans(plans: readonly Plan[], count = 3): readonly Plan[] {
  const byInterest = plans.toSorted((a, b) => Number(b.popular) - Number(a.popular));
  const chosen = new Set(byInterest.slice(0, count));
  return plans.filter((plan) => chosen.has(plan));
}
