import type { RequestHandler } from 'express';
import type { Logger } from 'pino';

/** Ids of others that are safe in a header and a log line. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The visitor id in the address of what is remembered of a visitor. */
const VISITOR = /^(\/+v1\/+visitors\/+)[^/]+/i;

export interface RequestLogOptions {
  readonly logger: Logger;
  /** Makes the id of a request that brings none. */
  readonly newId: () => string;
  /** Monotonic clock in milliseconds. */
  readonly clock: () => number;
}

/**
 * Logs one line a request once its answer is sent or its connection is gone,
 * and echoes the request id. The query and the visitor id stay out of the log.
 */
export function logRequests({ logger, newId, clock }: RequestLogOptions): RequestHandler {
  return (req, res, next) => {
    const started = clock();
    const given = req.get('X-Request-Id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : newId();
    const path = req.path.replace(VISITOR, '$1…');
    res.set('X-Request-Id', requestId);
    res.once('close', () => {
      const error: unknown = res.locals['error'];
      const line = {
        requestId,
        method: req.method,
        path,
        status: res.statusCode,
        durationMs: Math.round((clock() - started) * 100) / 100,
        ...(!res.writableFinished && { aborted: true }),
        ...(error !== undefined && { err: error }),
      };
      logger[error === undefined ? 'info' : 'error'](line, 'request');
    });
    next();
  };
}
