import { NextResponse, type NextRequest } from 'next/server';
import { API_DOWN_HEADER } from './product/api-down.ts';
import { apiUrl } from './product/api-url.ts';
import { listPlans } from './product/api.ts';

/** Seconds after which a client may try again. */
const RETRY_AFTER = '15';

/** The page of one plan, wherever the app is mounted. */
const PLAN_PAGE = /^(?:\/next)?\/plans\/([^/]+)$/;
/** The pages that there are under /next; at the root, Next tells unknown ones apart by itself. */
const MOUNTED_PAGE = /^\/next(?:\/(?:plans(?:\/[^/]+)?|sign-up))?$/;

/**
 * Sets the status of pages that are not there (404), or that need the API server while it
 * is down (503). The pages show the notice themselves; but a page of the App Router cannot
 * choose its status, so it is chosen here, before it renders. (Its `notFound()` can, and
 * leaves a browser without JavaScript with an empty page.)
 */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const { pathname } = request.nextUrl;
  const headers = new Headers(request.headers);
  headers.delete(API_DOWN_HEADER);
  const answer = (status?: 404) =>
    NextResponse.next({ request: { headers }, ...(status !== undefined && { status }) });

  // An action called by script renders no page: it says itself what went wrong.
  if (headers.has('next-action')) return answer();
  if (pathname.startsWith('/next') && !MOUNTED_PAGE.test(pathname)) return answer(404);
  const plans = await listPlans(apiUrl());
  if (plans === 'unavailable') {
    headers.set(API_DOWN_HEADER, '1');
    return NextResponse.next({
      status: 503,
      headers: { 'retry-after': RETRY_AFTER },
      request: { headers },
    });
  }
  const id = PLAN_PAGE.exec(pathname)?.[1];
  return answer(id === undefined || plans.some((plan) => plan.id === id) ? undefined : 404);
}

// Next reads this without running it: literals only. Prefetches are left out, as
// they render no data.
export const config = {
  matcher: [
    { source: '/', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/plans/:path*', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/sign-up', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/next/:path*', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
  ],
};
