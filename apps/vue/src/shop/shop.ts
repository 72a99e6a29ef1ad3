import type { Plan } from '@turnout/contracts/product';
import { inject, shallowReactive, type InjectionKey } from 'vue';
import type { ShopApi, SignUpForm, SignUpOutcome } from './shop-api.ts';

/** Plans this old are fetched again, behind the page that already shows them. */
const PLANS_FRESH_MS = 60_000;

/** What the server knew when it rendered; the browser starts from the same. */
export interface ShopState {
  /** Null until loaded, and when the API gives no answer. */
  plans: readonly Plan[] | null;
  /** A form that was posted without JavaScript, and what came of it. */
  posted: { form: SignUpForm; outcome: SignUpOutcome } | null;
}

export interface Shop {
  readonly state: ShopState;
  readonly api: ShopApi;
  /** Loads the plans unless fresh ones are there. Failure leaves those that were there. */
  loadPlans(): Promise<void>;
}

/** @param now a monotonic clock, in milliseconds */
export function createShop(api: ShopApi, initial: ShopState, now: () => number): Shop {
  // Shallow: plans and posted form are replaced whole, never changed inside.
  const state = shallowReactive<ShopState>(initial);
  let loadedAt = now();
  return {
    state,
    api,
    async loadPlans() {
      if (state.plans !== null && now() - loadedAt < PLANS_FRESH_MS) return;
      try {
        state.plans = await api.plans();
        loadedAt = now();
      } catch {
        // Pages without plans say so themselves, and offer to try again.
      }
    },
  };
}

export const shopKey: InjectionKey<Shop> = Symbol('shop');

export function useShop(): Shop {
  const shop = inject(shopKey);
  if (shop === undefined) throw new Error('Expected a shop in the app: call app.provide(shopKey).');
  return shop;
}
