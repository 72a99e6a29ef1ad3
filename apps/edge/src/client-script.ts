import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import Negotiator from 'negotiator';
import type { Edge } from './edge.ts';
import type { EdgeExchange } from './exchange.ts';
import { problem } from './problem.ts';

/** `GET /_turnout/client.js`: the browser script, by which pages report results. */
export function answerClientScript(
  { testing }: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
): void {
  if (testing === undefined) {
    const detail = 'This edge has no experiments, and counts nothing.';
    exchange.answerJson(404, {}, problem(404, 'Not Found', detail));
    return;
  }
  script ??= createScript(
    readFileSync(fileURLToPath(import.meta.resolve('@turnout/client/script'))),
  );
  const { status, headers, body } = script(request.headers);
  exchange.answer(status, headers, body);
}

/** Made once in the life of a worker, when it is first asked for. */
let script: Script | undefined;

/** How the script is sent to a client that has these headers. */
type Script = (headers: IncomingHttpHeaders) => {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

const IDENTITY = 'identity';

/** Compresses a script in each way that browsers take, the smallest first. */
export function createScript(source: Buffer): Script {
  const version = hash('sha256', source, 'base64url').slice(0, 22);
  const bodies = new Map([
    ['br', brotliCompressSync(source)],
    ['gzip', gzipSync(source, { level: 9 })],
    [IDENTITY, source],
  ]);
  return (request) => {
    const accepted = new Set(new Negotiator({ headers: request }).encodings([...bodies.keys()]));
    // Nobody refuses a script as it is and means it.
    const coding = [...bodies.keys()].find((known) => accepted.has(known)) ?? IDENTITY;
    // Strong, so each coding has its own (RFC 9110, section 8.8.3).
    const etag = `"${version}-${coding}"`;
    const headers = {
      'Cache-Control': 'public, max-age=3600',
      Vary: 'Accept-Encoding',
      ETag: etag,
    };
    if (holds(request['if-none-match'], etag)) return { status: 304, headers, body: undefined };
    const content = {
      'Content-Type': 'text/javascript; charset=utf-8',
      ...(coding !== IDENTITY && { 'Content-Encoding': coding }),
    };
    return { status: 200, headers: { ...headers, ...content }, body: bodies.get(coding) };
  };
}

/** RFC 9110, section 13.1.2: compared weakly, since a cache may have weakened it. */
function holds(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.some((tag) => tag === etag || tag === '*');
}
