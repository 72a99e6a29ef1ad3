import type { Plan } from '@turnout/contracts/product';
import type { ShopApi } from './shop-api.ts';

/** What the shop wants of its visitors: the metric that every frontend reports. */
export const SIGN_UP = 'signup';

/** What a sign-up is worth: the plan's price a month, in euros. Undefined for a plan that is none. */
export function signUpValue(plans: readonly Plan[] | null, id: string): number | undefined {
  const plan = plans?.find((one) => one.id === id);
  return plan === undefined ? undefined : plan.price / 100;
}

/** The API, with every sign-up that it takes told to `converted`, by the plan. */
export function tellingSignUps(api: ShopApi, converted: (plan: string) => void): ShopApi {
  return {
    plans: () => api.plans(),
    async signUp(form) {
      const outcome = await api.signUp(form);
      if (outcome.kind === 'welcome') converted(outcome.plan);
      return outcome;
    },
  };
}
