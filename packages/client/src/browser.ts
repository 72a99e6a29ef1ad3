import { createQueue, type Memory } from './queue.ts';
import { createTurnout, type Turnout } from './turnout.ts';

declare global {
  interface Performance {
    // The library's own types don't know that each type has its entries.
    getEntriesByType(type: 'navigation'): PerformanceNavigationTiming[];
  }
}

/** The edge answers it on the page's own origin, so that the visitor cookie goes along. */
const ENDPOINT = '/_turnout/v1/events';

/** Starts to report from this page, and sends what earlier pages could not. */
export function startInBrowser(): Turnout {
  const { add, flush } = createQueue(
    unlessDenied(() => localStorage),
    post,
    setTimeout,
    Math.random,
  );
  const { leave, ...turnout } = createTurnout(
    add,
    unlessDenied(() => sessionStorage),
    uuid,
    Date.now,
    requestId,
  );
  // The last that a page on a phone hears of is often that it is hidden.
  addEventListener('visibilitychange', () => document.hidden && leave());
  addEventListener('pagehide', leave);
  addEventListener('online', flush);
  flush();
  return turnout;
}

/**
 * A text has the type text/plain, which no browser asks about first. `keepalive` lets the request
 * outlive the page. Offline, trying would only fill the console.
 */
async function post(body: string): Promise<number> {
  if (!navigator.onLine) return 0;
  return (await fetch(ENDPOINT, { method: 'POST', keepalive: true, body })).status;
}

/**
 * Storage that the browser may deny, by throwing, or by null as the web views of Android do; in
 * its place, memory of this page alone.
 */
function unlessDenied(storage: () => Memory | null): Memory {
  try {
    return storage() ?? {};
  } catch {
    return {};
  }
}

/**
 * A UUIDv4. Not `crypto.randomUUID`, which is there on pages over TLS only; an event id has to be
 * another one than all others, and is no secret.
 */
function uuid(): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () =>
    Math.floor(Math.random() * 16).toString(16),
  );
}

/** The edge tells it in the Server-Timing of the page, the one header that scripts can read. */
function requestId(): string | undefined {
  const [page] = performance.getEntriesByType('navigation');
  return page?.serverTiming?.find(({ name }) => name === 'request')?.description;
}
