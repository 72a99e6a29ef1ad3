import type { RouteLocationNormalized } from 'vue-router';
import { dataText, priceText } from '../shop/plan-terms.ts';
import type { ShopState } from '../shop/shop.ts';

const BRAND = 'Tern Mobile';

/** What a page tells machines about itself. */
export interface PageMeta {
  status: 200 | 404 | 422 | 503;
  title: string;
  description: string;
}

const notFound: PageMeta = {
  status: 404,
  title: `Page not found – ${BRAND}`,
  description: 'There is no page at this address.',
};

/** The HTTP status, title and description of the page at a route. */
export function pageMeta(
  route: Pick<RouteLocationNormalized, 'name' | 'params' | 'meta'>,
  state: ShopState,
): PageMeta {
  const status = route.meta.needsPlans === true && state.plans === null ? 503 : 200;
  switch (route.name) {
    case 'home':
      return {
        status,
        title: `${BRAND} – Goes where you go.`,
        description: 'Mobile plans that travel as far as you do, at one clear price a month.',
      };
    case 'plans':
      return {
        status,
        title: `Plans – ${BRAND}`,
        description: 'Every Tern Mobile plan, with its price, its data and what it covers abroad.',
      };
    case 'plan': {
      if (state.plans === null) {
        return { status, title: `Plan – ${BRAND}`, description: 'A Tern Mobile plan.' };
      }
      const plan = state.plans.find(({ id }) => id === route.params.id);
      if (plan === undefined) return notFound;
      return {
        status,
        title: `${plan.name} – ${BRAND}`,
        description: `${plan.tagline} ${dataText(plan)} of data for ${priceText(plan)} a month.`,
      };
    }
    case 'sign-up': {
      const outcome = state.posted?.outcome.kind;
      return {
        status: outcome === 'unavailable' ? 503 : outcome === 'refused' ? 422 : status,
        title: `Sign up – ${BRAND}`,
        description: 'Choose a plan and join Tern Mobile in a minute.',
      };
    }
    default:
      return notFound;
  }
}
