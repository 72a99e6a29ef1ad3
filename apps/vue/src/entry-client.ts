import { turnout } from '@turnout/client';
import { nextTick } from 'vue';
import { createWebHistory } from 'vue-router';
import { createApp } from './app/create-app.ts';
import type { PageState } from './app/page-state.ts';
import { pageMeta } from './app/page-meta.ts';
import { browserApi } from './shop/browser-api.ts';
import { SIGN_UP, signUpValue, tellingSignUps } from './shop/sign-up-conversion.ts';
import { createShop } from './shop/shop.ts';

const { base, shop: initial }: PageState = JSON.parse(
  document.querySelector('#state')?.textContent ?? '',
);
// Shown by its name, under /vue/, the shop counts nobody.
const isCounted = base === '/';
const api = isCounted
  ? tellingSignUps(browserApi, (plan) => {
      turnout.convert(SIGN_UP, { value: signUpValue(shop.state.plans, plan) });
    })
  : browserApi;
const shop = createShop(api, initial, () => performance.now());
if (isCounted) {
  turnout.expect(SIGN_UP);
  // A form that was sent before this script came is reported by the server.
  if (initial.posted?.outcome.kind === 'welcome') turnout.settle(SIGN_UP);
}
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
