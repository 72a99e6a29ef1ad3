import { randomUUID } from 'node:crypto';
import type { Report } from '@turnout/contracts/event';

/** What a frontend's server reports. */
export interface Conversion {
  /** What is counted, such as `signup`. */
  readonly metric: string;
  /** What it was worth, in the metric's own unit; left out where it is no finite number. */
  readonly value?: number | undefined;
  /** The one experiment that it is a result of; all that the visitor is in, unless given. */
  readonly experiment?: string | undefined;
}

/** The headers of the request that made the conversion, as the edge passed it on. */
export interface ConvertingRequest {
  readonly cookie?: string | undefined;
  readonly 'x-request-id'?: string | undefined;
}

/** The one request that tells the edge. */
export interface ConversionRequest {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reporting {
  /** Origin of the edge, such as `http://127.0.0.1:8080`; one of its `public.hosts`. */
  readonly edgeUrl: URL;
  /** Told of a conversion that could not be reported, in one line. */
  readonly log: (line: string) => void;
  /** Milliseconds that all of it may take. Default: 2,000. */
  readonly timeout?: number;
}

/** A visitor cookie with something in it, as it is named with and without TLS. */
const VISITOR_COOKIE = /(?:^|;)\s*(?:__Host-)?turnout=[^;\s]/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The second one is for a connection that broke. */
const ATTEMPTS = 2;
const TIMEOUT = 2_000;
/** Characters of an answer that is no edge's, such as a whole page, that a line of the log holds. */
const ANSWER_MAX = 300;

/**
 * The request that reports a conversion: test/cases/conversions.json says what it is for every
 * language. The cookies go along as they came, since they are what tells who converted, whether
 * they agreed to be counted, and whether they were shown a preview.
 *
 * @param eventId a UUID; the same one when the same conversion is reported again
 * @param at when it happened, milliseconds since 1970
 * @returns undefined for somebody without a visitor cookie: nobody knows which variant they saw
 */
export function conversionRequest(
  edgeUrl: URL,
  { metric, value, experiment }: Conversion,
  request: ConvertingRequest,
  eventId: string,
  at: number,
): ConversionRequest | undefined {
  const { cookie = '', 'x-request-id': requestId = '' } = request;
  if (!VISITOR_COOKIE.test(cookie)) return undefined;
  const report: Report = {
    events: [
      {
        event_id: eventId,
        metric,
        did_convert: true,
        occurred_at: at,
        ...(value !== undefined && Number.isFinite(value) && { value }),
        ...(UUID.test(requestId) && { request_id: requestId }),
        ...(experiment !== undefined && { experiment }),
      },
    ],
  };
  return {
    method: 'POST',
    url: new URL('/_turnout/v1/events', edgeUrl).href,
    headers: { 'Content-Type': 'application/json', Cookie: cookie },
    body: JSON.stringify(report),
  };
}

/**
 * Reports a conversion that a frontend's server sees happen, also for a browser without
 * JavaScript. Never rejects: a sign-up is worth more than its count.
 */
export async function reportConversion(
  conversion: Conversion,
  request: ConvertingRequest,
  { edgeUrl, log, timeout = TIMEOUT }: Reporting,
): Promise<void> {
  const sent = conversionRequest(edgeUrl, conversion, request, randomUUID(), Date.now());
  if (sent === undefined) return;
  const { url, ...init } = sent;
  const signal = AbortSignal.timeout(timeout);
  let problem = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const answer = await fetch(url, { ...init, redirect: 'manual', signal });
      // 204: the edge does not count this visitor, who previews or has not agreed. Any other
      // success is somebody else's.
      if (answer.status === 202 || answer.status === 204) {
        await answer.body?.cancel();
        return;
      }
      const text = (await answer.text()).replace(/\s+/g, ' ').slice(0, ANSWER_MAX);
      problem = `expected status 202, got ${answer.status}: ${text}`;
      if (answer.status < 500) break;
    } catch (error) {
      problem = reason(error);
    }
  }
  log(`conversion of ${conversion.metric} not reported: POST ${url}: ${problem.trim()}`);
}

/** fetch says only "fetch failed"; the reason (ECONNREFUSED …) is the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reason(error.cause)}`;
}
