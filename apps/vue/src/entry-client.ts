import { nextTick } from 'vue';
import { createWebHistory } from 'vue-router';
import { createApp } from './app/create-app.ts';
import type { PageState } from './app/page-state.ts';
import { pageMeta } from './app/page-meta.ts';
import { browserApi } from './shop/browser-api.ts';
import { createShop } from './shop/shop.ts';

const { base, shop: initial }: PageState = JSON.parse(
  document.querySelector('#state')?.textContent ?? '',
);
const shop = createShop(browserApi, initial, () => performance.now());
const { app, router } = createApp(shop, createWebHistory(base));

await router.isReady();
app.mount('#app');

// Only from here on: the first page is the server's, and hydrates with what the server knew.
router.beforeResolve(async (to) => {
  if (to.meta.needsPlans !== true) return;
  const loading = shop.loadPlans();
  if (shop.state.plans === null) await loading;
});

router.afterEach(async (to, from, failure) => {
  if (failure !== undefined) return;
  document.title = pageMeta(to, shop.state).title;
  if (to.path === from.path) return;
  // A screen reader hears the new page, and Tab goes on from its top, as after a full load.
  await nextTick();
  document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
});
