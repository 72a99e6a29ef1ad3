import type { IncomingMessage } from 'node:http';
import { schemaProblems, type Problem } from '@turnout/contracts';
import { reportSchema } from '@turnout/contracts/event';
import type { RequestTraits } from '@turnout/router-core';
import { returning, type ReturningVisitor } from '../decide.ts';
import type { Edge, Testing } from '../edge.ts';
import type { EdgeExchange } from '../exchange.ts';
import { problem } from '../problem.ts';
import { isFromPage, isSameOrigin } from '../same-origin.ts';
import { readReport } from './reported-results.ts';
import { readBody } from './request-body.ts';

/** Bytes of a report: fifty results, and what browsers let a beacon carry. */
const REPORT_MAX = 65_536;
/** How long a client may take to send its report, in ms. */
const PATIENCE = 10_000;
/** Problems that a refusal names; a body can hold thousands, and each answer would. */
const PROBLEMS_MAX = 20;
/** When to try again while events can be written down nowhere, in seconds. */
const RETRY_AFTER = 5;

/** How the edge refuses a report. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly document: ReturnType<typeof problem>;

  constructor(
    status: number,
    title: string,
    detail: string,
    more: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly problems?: readonly Problem[];
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.headers = more.headers ?? {};
    this.document = problem(status, title, detail, more.problems?.slice(0, PROBLEMS_MAX));
  }
}

/** `POST /_turnout/v1/events`: takes test results; docs/events.md tells what is refused, and why. */
export function answerEvents(
  edge: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  traits: RequestTraits,
): void {
  takeReport(edge, exchange, request, traits).catch((error: unknown) => {
    if (error instanceof Refusal) exchange.answerJson(error.status, error.headers, error.document);
    else exchange.crash(error);
  });
}

async function takeReport(
  edge: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  traits: RequestTraits,
): Promise<void> {
  const { testing } = edge;
  checkHead(request);
  if (testing === undefined) {
    throw new Refusal(404, 'Not Found', 'This edge has no experiments, and counts nothing.');
  }
  // Whoever previews belongs to no variant; whoever has not agreed is not told apart.
  if (testing.previews.of(traits.cookie) !== undefined || !testing.consents(traits)) {
    exchange.answer(204, { 'Cache-Control': 'no-store' }, undefined);
    return;
  }
  const visitor = returning(testing, traits);
  if (visitor === undefined) {
    // A page can't know whether its visitor keeps cookies, since no script sees ours. A refusal
    // would stand as an error in the console of each who does not.
    if (isFromPage(request.headers)) {
      exchange.answer(204, { 'Cache-Control': 'no-store' }, undefined);
      return;
    }
    throw new Refusal(
      409,
      'Conflict',
      'Expected a visitor cookie: pass on the Cookie header of the visitor who was served a page.',
    );
  }
  testing.tracking.returned(visitor.id, visitor.mirror, testing.live);
  const body = await readBody(request, REPORT_MAX, PATIENCE);
  if (body === 'gone') {
    exchange.abandon();
    return;
  }
  if (body === 'too-large' || body === 'too-slow') throw unreadable(body);
  const results = read(edge, testing, visitor, traits, body);
  if (results.length > 0) {
    try {
      await testing.tracking.report(results, exchange.requestId, request.headers['user-agent']);
    } catch {
      // The tracking has logged why, once for many.
      throw new Refusal(
        503,
        'Service Unavailable',
        'Results can not be kept now. Send them again.',
        {
          headers: { 'Retry-After': String(RETRY_AFTER) },
        },
      );
    }
  }
  exchange.answerJson(202, {}, { results: results.length });
}

/** What can be refused before the body is there. */
function checkHead({ headers }: IncomingMessage): void {
  if (!isSameOrigin(headers)) {
    throw new Refusal(
      403,
      'Forbidden',
      'Report from a page of this very site, or from its server.',
    );
  }
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  // A Blob without a type has none.
  const isText = type === undefined || type === 'application/json' || type === 'text/plain';
  const coding = headers['content-encoding'] ?? 'identity';
  if (!isText || coding !== 'identity') {
    throw new Refusal(
      415,
      'Unsupported Media Type',
      'Expected JSON as application/json or text/plain, not compressed.',
      { headers: { Accept: 'application/json, text/plain' } },
    );
  }
}

function unreadable(failure: 'too-large' | 'too-slow'): Refusal {
  // What is still to come of the body is not waited for.
  const headers = { Connection: 'close' };
  return failure === 'too-large'
    ? new Refusal(413, 'Content Too Large', `Expected at most ${REPORT_MAX} bytes.`, { headers })
    : new Refusal(408, 'Request Timeout', `Expected the body within ${PATIENCE / 1_000} s.`, {
        headers,
      });
}

/** @throws {Refusal} for what is no report, comes too often, or disagrees with the cookie */
function read(
  { now }: Edge,
  { tracking, requestIds, rate, live }: Testing,
  { id, mirror }: ReturningVisitor,
  traits: RequestTraits,
  body: Buffer,
) {
  const raw = parseJson(body);
  const { data, error } = reportSchema.safeParse(raw);
  if (data === undefined) {
    throw new Refusal(
      422,
      'Unprocessable Content',
      'The report is not as it should be; `errors` names what is wrong.',
      { problems: schemaProblems(error, raw) },
    );
  }
  const wait = rate.take(id, data.events.length, now());
  if (wait > 0) {
    throw new Refusal(429, 'Too Many Requests', 'This visitor reports too many results.', {
      headers: { 'Retry-After': String(wait) },
    });
  }
  const reporter = {
    visitor: id,
    mirror,
    live,
    traits,
    requestIds,
    node: tracking.node,
    now: now(),
  };
  const reading = readReport(data, reporter);
  if (reading.kind === 'results') return reading.results;
  throw new Refusal(
    409,
    'Conflict',
    'The report says other than the visitor cookie; nothing of it is taken.',
    { problems: reading.problems },
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw new Refusal(400, 'Bad Request', 'Expected JSON in UTF-8 such as {"events": […]}.');
  }
}
