import { createMemoryHistory } from 'vue-router';
import { renderToString } from 'vue/server-renderer';
import { createApp } from './app/create-app.ts';
import { pageMeta, type PageMeta } from './app/page-meta.ts';
import type { PageState } from './app/page-state.ts';
import type { ShopApi } from './shop/shop-api.ts';
import { createShop, type ShopState } from './shop/shop.ts';

export interface PageRequest {
  /** The path that the shop is hosted on, with a slash at both ends. */
  base: string;
  /** Path and query below the base, as sent: percent-encoding may be broken. */
  path: string;
  posted: ShopState['posted'];
  api: ShopApi;
}

export interface RenderedPage {
  meta: PageMeta;
  /** The one path, without the base, that search engines should keep; null for failures. */
  canonicalPath: string | null;
  /** Inside of `#app`. */
  html: string;
  state: PageState;
}

/** Renders the page at a path. Throws only when a component does. */
export async function render({ base, path, posted, api }: PageRequest): Promise<RenderedPage> {
  const shop = createShop(api, { plans: null, posted }, () => performance.now());
  const { app, router } = createApp(shop, createMemoryHistory(base));
  await router.push(path);
  const route = router.currentRoute.value;
  if (route.meta.needsPlans === true) await shop.loadPlans();
  const meta = pageMeta(route, shop.state);
  return {
    meta,
    // Not the path as sent, which may have a slash too many: `//` would name another host.
    canonicalPath:
      meta.status === 200 ? router.resolve({ name: route.name, params: route.params }).path : null,
    html: await renderToString(app),
    state: { base, shop: shop.state },
  };
}
