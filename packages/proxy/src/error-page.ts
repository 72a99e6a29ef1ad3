import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface ErrorPage {
  /** 400 to 599. */
  status: number;
  /** Shown, so that a visitor's report can be found in the logs. */
  requestId: string;
  /** Seconds; the default for 503 is 5, for any other status none is sent. */
  retryAfter?: number;
  /** Flat name/value pairs sent as well, for instance X-Request-Id and Set-Cookie. */
  headers?: readonly string[];
  /**
   * True ends the connection after this answer: what follows on it cannot be trusted, or will
   * not come. The default is to keep it, except after a 408 (RFC 9110 section 15.5.9).
   */
  close?: boolean;
}

interface Explanation {
  title: string;
  detail: string;
}

const explanations: Partial<Record<number, Explanation>> = {
  400: {
    title: 'This request cannot be read',
    detail: 'Something in the address or in what your browser sent is not valid.',
  },
  403: {
    title: 'This link does not open anything',
    detail: 'It may be incomplete, or it has expired. Ask whoever sent it for a new one.',
  },
  404: {
    title: 'There is nothing here',
    detail: 'The address may be mistyped, or the page may have moved.',
  },
  408: {
    title: 'This took too long',
    detail: 'What your browser was sending did not arrive in time. Please try again.',
  },
  413: {
    title: 'That is too large',
    detail: 'What was sent is larger than this site accepts.',
  },
  421: {
    title: 'This site does not answer to that name',
    detail: 'Please check the address.',
  },
  429: {
    title: 'Too many requests',
    detail: 'Please wait a moment, then try again.',
  },
  431: {
    title: 'The request headers are too large',
    detail: 'Clearing the cookies of this site usually helps.',
  },
  502: {
    title: 'Something went wrong on our side',
    detail: 'The page could not be put together. Please try again in a moment.',
  },
  503: {
    title: 'We will be right back',
    detail: 'This site is not available just now. Please try again in a moment.',
  },
  504: {
    title: 'This is taking too long',
    detail: 'The page did not come in time. Please try again in a moment.',
  },
};

/** What an answer can be written as, the one preferred in a draw first. */
const mediaTypes = ['text/html', 'application/problem+json', 'text/plain'] as const;
type MediaType = (typeof mediaTypes)[number];

/**
 * Answers with a self-contained error page, a problem document (RFC 9457) or a line of
 * text, whichever the client accepts best. Names no software and no upstream.
 *
 * Does nothing but break the connection off if an answer has begun already.
 */
export function sendErrorPage(
  request: IncomingMessage,
  response: ServerResponse,
  page: ErrorPage,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const explanation = explanations[page.status] ?? {
    title: STATUS_CODES[page.status] ?? 'Error',
    detail: 'The request could not be answered.',
  };
  const type = preferredType(request.headers.accept);
  const body = Buffer.from(bodies[type](explanation, page));
  const retryAfter = page.retryAfter ?? (page.status === 503 ? 5 : undefined);
  const headers = [
    'Content-Type',
    type === 'application/problem+json' ? type : `${type}; charset=utf-8`,
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Vary',
    'Accept',
    'X-Content-Type-Options',
    'nosniff',
    'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'",
  ];
  if (retryAfter !== undefined) headers.push('Retry-After', String(Math.ceil(retryAfter)));
  if (page.headers !== undefined) headers.push(...page.headers);
  if (page.close ?? page.status === 408) headers.push('Connection', 'close');
  response.writeHead(page.status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/**
 * The best of our types for an Accept field (RFC 9110 section 12.5.1). A client that has
 * no preference, or wants none of them, gets text: it is a tool and not a browser.
 */
function preferredType(accept: string | undefined): MediaType {
  let best: MediaType = 'text/plain';
  let bestQuality = 0;
  if (accept === undefined) return best;
  const ranges = parseAccept(accept);
  for (const type of mediaTypes) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/** Quality per media range. A bare wildcard states no preference among ours: it is left out. */
function parseAccept(accept: string): Map<string, number> {
  const ranges = new Map<string, number>();
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';');
    const weight = parameters.map((text) => /^\s*q=([\d.]+)\s*$/i.exec(text)?.[1]).find(Boolean);
    ranges.set(range.trim().toLowerCase(), weight === undefined ? 1 : Number(weight));
  }
  return ranges;
}

function qualityOf(type: MediaType, ranges: ReadonlyMap<string, number>): number {
  const quality =
    ranges.get(type) ??
    // Whoever takes JSON can read a problem document.
    (type === 'application/problem+json' ? ranges.get('application/json') : undefined) ??
    ranges.get(type.replace(/\/.*/, '/*')) ??
    0;
  return Number.isFinite(quality) ? quality : 0;
}

const bodies: Record<MediaType, (explanation: Explanation, page: ErrorPage) => string> = {
  'text/html': renderHtml,
  'application/problem+json': ({ title, detail }, { status, requestId }) =>
    `${JSON.stringify({ type: 'about:blank', title, status, detail, requestId })}\n`,
  'text/plain': ({ title, detail }, { status, requestId }) =>
    `${status} ${title}\n${detail}\nRequest id: ${requestId}\n`,
};

function renderHtml({ title, detail }: Explanation, { status, requestId }: ErrorPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
:root{color-scheme:light dark;--ink:#1d2430;--dim:#5a6472;--paper:#f5f6f8;--card:#fff;--line:#dfe3e8;--mark:#b4430f}
@media(prefers-color-scheme:dark){:root{--ink:#eef1f5;--dim:#a3adba;--paper:#12161c;--card:#1a2029;--line:#2c3542;--mark:#ff9d66}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,sans-serif}
main{max-width:34rem;width:100%;padding:2.5rem;background:var(--card);border:1px solid var(--line);border-radius:1rem}
.status{margin:0;color:var(--mark);font-weight:600;font-variant-numeric:tabular-nums}
h1{margin:.25rem 0 .75rem;font-size:clamp(1.5rem,5vw,2.125rem);line-height:1.2;text-wrap:balance}
p{margin:0}
.id{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--dim);font-size:.875rem}
code{font-family:ui-monospace,monospace;overflow-wrap:anywhere;user-select:all}
</style>
<main>
<p class="status">${status}</p>
<h1>${title}</h1>
<p>${detail}</p>
<p class="id">Request id: <code>${escapeHtml(requestId)}</code></p>
</main>
</html>
`;
}

/** The request id can come from another hop. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
