import type { Memory, Queue } from './queue.ts';

/** What a page says of its visitor. Nothing of it throws, and nothing is to be waited for. */
export interface Turnout {
  /**
   * The visitor converted.
   *
   * @param metric what is counted, such as `signup`
   * @param options.value what it was worth, in the metric's own unit
   */
  readonly convert: (metric: string, options?: { readonly value?: number | undefined }) => void;
  /** The page hopes for a conversion: leaving it without one is a non-conversion. */
  readonly expect: (metric: string) => void;
  /** Somebody else has reported the result, such as the page's server: this visit owes none. */
  readonly settle: (metric: string) => void;
}

/** What says in `visit` that a metric has its result. */
const PREFIX = 'turnout/';

/**
 * The rule of counting once: a visit has at most one non-conversion of a metric, reported when
 * the first page that expects one is left; and none after a conversion. A conversion may follow,
 * and takes its place wherever results are counted.
 *
 * @param visit lasts as long as the visit: `sessionStorage`, or an object where that is denied
 * @param now milliseconds since 1970
 * @param requestId the X-Request-Id of the page, if the browser knows it
 */
export function createTurnout(
  add: Queue['add'],
  visit: Memory,
  uuid: () => string,
  now: () => number,
  requestId: () => string | undefined,
): Turnout & { readonly leave: () => void } {
  const expected = new Set<string>();

  const settle = (metric: string): void => {
    expected.delete(metric);
    try {
      visit[PREFIX + metric] = '1';
    } catch {
      // The next page may report a non-conversion once more, which changes nothing.
    }
  };

  const report = (metric: string, converted: boolean, value?: number): void => {
    settle(metric);
    const id = uuid();
    const event = {
      event_id: id,
      metric,
      did_convert: converted,
      occurred_at: now(),
      // Undefined is left out by JSON.
      value,
      request_id: requestId(),
    };
    add(id, JSON.stringify({ events: [event] }));
  };

  return {
    convert(metric, options) {
      report(metric, true, options?.value);
    },
    expect(metric) {
      expected.add(metric);
    },
    settle,
    leave() {
      for (const metric of expected) if (!visit[PREFIX + metric]) report(metric, false);
    },
  };
}
