import type { ShopState } from '../shop/shop.ts';

/** What the server hands to the browser inside the page, as JSON. */
export interface PageState {
  /** The path that the whole shop is hosted on: `/`, or `/vue/`. */
  base: string;
  shop: ShopState;
}
