import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { plainAddress } from '@turnout/proxy';
import { botClassOf, type BotClass, type VisitorId } from '@turnout/router-core';
import type { Decision } from './decide.ts';
import type { Logger } from './log.ts';

/** Characters of a path or host that the log keeps. */
const LONGEST = 1_024;

/** What one line of the access log is made of. */
export interface AccessRecord {
  readonly request: IncomingMessage;
  /** The client's address. */
  readonly remote: string;
  readonly requestId: string;
  readonly decision: Decision | undefined;
  readonly status: number;
  /** completed, aborted (the visitor left), failed (the upstream did), or own (answered here). */
  readonly outcome: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds from the request head. */
  readonly total: number;
  readonly decided: number | undefined;
  readonly firstByte: number | undefined;
  readonly error: string | undefined;
}

/** Writes the line of one request; times in ms, sizes in bytes. */
export function logAccess(log: Logger, record: AccessRecord): void {
  const { request, decision } = record;
  log.info(
    {
      id: record.requestId,
      // An IPv4 address is itself, also on a socket that listens on both.
      remote: plainAddress(record.remote),
      method: request.method,
      host: request.headers.host?.slice(0, LONGEST),
      path: withoutQuery(request.url ?? '').slice(0, LONGEST),
      status: record.status,
      outcome: record.outcome,
      upstream: decision?.destination.upstream.name,
      experiment: decision?.experiment,
      variant: decision?.variant,
      source: decision?.source,
      visitor: decision?.visitor && visitorHash(decision.visitor),
      bot: botOf(request.headers['user-agent']),
      bytesIn: record.bytesIn,
      bytesOut: record.bytesOut,
      ms: round(record.total),
      decisionMs: round(record.decided),
      firstByteMs: round(record.firstByte),
      error: record.error,
    },
    'request',
  );
}

/** Queries hold what people type; the log does without. */
function withoutQuery(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

/** For analysis alone: nothing is decided by it. Left out of almost every line. */
function botOf(userAgent: string | undefined): BotClass | undefined {
  const found = botClassOf(userAgent ?? '');
  return found === 'none' ? undefined : found;
}

/** Tells visitors apart without being the id that their cookie holds. */
export function visitorHash(id: VisitorId): string {
  return hash('sha256', id, 'hex').slice(0, 16);
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 1000) / 1000;
}
