import { NextResponse, type NextRequest } from 'next/server';
import { API_DOWN_HEADER } from './product/api-down.ts';
import { apiUrl } from './product/api-url.ts';
import { listPlans } from './product/api.ts';

/** Seconds after which a client may try again. */
const RETRY_AFTER = '15';

/**
 * Sets status 503 on pages that need the API server while it is down. The pages
 * show the notice themselves; but a page of the App Router cannot choose its
 * status, so it is chosen here, before it renders.
 */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const headers = new Headers(request.headers);
  headers.delete(API_DOWN_HEADER);
  // An action called by script renders no page: it says itself what went wrong.
  const rendersPage = !headers.has('next-action');
  if (!rendersPage || (await listPlans(apiUrl())) !== 'unavailable') {
    return NextResponse.next({ request: { headers } });
  }
  headers.set(API_DOWN_HEADER, '1');
  return NextResponse.next({
    status: 503,
    headers: { 'retry-after': RETRY_AFTER },
    request: { headers },
  });
}

// Next reads this without running it: literals only. Prefetches are left out, as
// they render no data.
export const config = {
  matcher: [
    { source: '/', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/plans/:path*', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/sign-up', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/next', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/next/plans/:path*', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
    { source: '/next/sign-up', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
  ],
};
