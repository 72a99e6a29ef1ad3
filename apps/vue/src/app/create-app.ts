import { createSSRApp, type App } from 'vue';
import { createRouter, type Router, type RouterHistory } from 'vue-router';
import { shopKey, type Shop } from '../shop/shop.ts';
import AppShell from './AppShell.vue';
import { routes } from './routes.ts';

/** One app and router per page load: requests on the server must share no state. */
export function createApp(shop: Shop, history: RouterHistory): { app: App; router: Router } {
  const router = createRouter({
    history,
    routes,
    sensitive: true,
    scrollBehavior: (to, _from, saved) => saved ?? (to.hash === '' ? { top: 0 } : { el: to.hash }),
  });
  const app = createSSRApp(AppShell);
  app.use(router);
  app.provide(shopKey, shop);
  return { app, router };
}
