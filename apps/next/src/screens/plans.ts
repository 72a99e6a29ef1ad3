import { headers } from 'next/headers';
import { cache } from 'react';
import { API_DOWN_HEADER } from '../product/api-down.ts';
import { apiUrl } from '../product/api-url.ts';
import { findPlan, listPlans } from '../product/api.ts';

/** The plans for the page being rendered: fetched at request time, once however many parts ask. */
export const requestPlans = cache(async () => {
  return (await knownDown()) ? 'unavailable' : listPlans(apiUrl());
});

/** As {@link requestPlans}, for one plan. */
export const requestPlan = cache(async (id: string) => {
  return (await knownDown()) ? 'unavailable' : findPlan(apiUrl(), id);
});

/** Whether proxy.ts has just found the API down: no use in waiting for it a second time. */
async function knownDown(): Promise<boolean> {
  return (await headers()).has(API_DOWN_HEADER);
}
