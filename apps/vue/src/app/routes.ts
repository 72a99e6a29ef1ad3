import type { RouteRecordRaw } from 'vue-router';
import HomePage from '../pages/HomePage.vue';
import NotFoundPage from '../pages/NotFoundPage.vue';
import PlanPage from '../pages/PlanPage.vue';
import PlansPage from '../pages/PlansPage.vue';
import SignUpPage from '../pages/SignUpPage.vue';

declare module 'vue-router' {
  interface RouteMeta {
    /** The page shows plans, so they are loaded before it. */
    needsPlans?: boolean;
  }
}

/** The same paths in every frontend of the shop, so that a variant can be changed under a visitor. */
export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: HomePage, meta: { needsPlans: true } },
  { path: '/plans', name: 'plans', component: PlansPage, meta: { needsPlans: true } },
  { path: '/plans/:id', name: 'plan', component: PlanPage, meta: { needsPlans: true } },
  { path: '/sign-up', name: 'sign-up', component: SignUpPage, meta: { needsPlans: true } },
  { path: '/:rest(.*)*', name: 'not-found', component: NotFoundPage },
];
