import { connection } from 'next/server';
import { cache } from 'react';
import { apiUrl } from '../product/api-url.ts';
import { findPlan, listPlans } from '../product/api.ts';

/** The plans for the page being rendered: fetched at request time, once however many parts ask. */
export const requestPlans = cache(async () => {
  await connection();
  return listPlans(apiUrl());
});

/** As {@link requestPlans}, for one plan. */
export const requestPlan = cache(async (id: string) => {
  await connection();
  return findPlan(apiUrl(), id);
});
