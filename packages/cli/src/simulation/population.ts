import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import {
  createRequestTraits,
  drawVisitors,
  visitorId,
  type SimulatedRequest,
  type VisitorId,
} from '@turnout/router-core';

/** Whom a change is tried on. */
export type Population =
  | { readonly kind: 'drawn'; readonly visitors: number; readonly seed: string }
  | { readonly kind: 'access-log'; readonly file: string };

/** Visitors and what they ask for, one by one; the same each time. */
export function* requestsOf(population: Population): Generator<SimulatedRequest> {
  if (population.kind === 'drawn') {
    for (const visitor of drawVisitors(population.visitors, population.seed)) yield { visitor };
    return;
  }
  for (const line of linesOf(population.file)) {
    const request = requestOfLine(line);
    if (request !== undefined) yield request;
  }
}

/**
 * The request that a line of an edge's access log tells of; undefined for a line that tells of
 * none, or of one that no visitor sent. Cookies, queries and headers are not in the log, so
 * rules see a request without any.
 */
export function requestOfLine(line: string): SimulatedRequest | undefined {
  const { msg, method, host, path, visitor } = fieldsOf(line);
  const isWhole = [method, host, path, visitor].every((field) => typeof field === 'string');
  if (msg !== 'request' || !isWhole) return undefined;
  return {
    visitor: standIn(String(visitor)),
    request: createRequestTraits({
      method: String(method),
      target: String(path),
      host: String(host),
      header: () => undefined,
      countryHeader: undefined,
    }),
  };
}

/** An id for whom the log names only by a hash: another one than the visitor's, but always the same. */
function standIn(visitor: string): VisitorId {
  const digest = createHash('sha256').update(visitor).digest();
  return visitorId(digest.subarray(0, 16).toString('base64url'));
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? { ...entry } : {};
  } catch {
    return {};
  }
}

const CHUNK = 65_536;

/** The lines of a file of any size. */
function* linesOf(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK);
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for (let read = -1; read !== 0;) {
      read = readSync(descriptor, chunk);
      const lines = (rest + decoder.write(chunk.subarray(0, read))).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } finally {
    closeSync(descriptor);
  }
}
