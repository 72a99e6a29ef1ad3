import type { ErrorRequestHandler, Response } from 'express';
import type { Problem } from '@turnout/contracts/product';
import { RepositoryUnavailable, RepositoryUnusable } from '../repository/product-repository.ts';

/** One refused field of a form. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A failure whose details the client may see; `sendProblem` turns it into a problem document. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    extra: { errors?: readonly FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.errors = extra.errors;
    this.headers = extra.headers ?? {};
  }
}

/**
 * Answers every failure with an RFC 9457 problem document. What the client can
 * not mend is told only as much as helps; the error itself goes to the log
 * through `res.locals.error`.
 */
export const sendProblem: ErrorRequestHandler = (error: unknown, _req, res: Response, next) => {
  const problem = asHttpProblem(error);
  if (problem.status >= 500) res.locals['error'] = error;
  if (res.headersSent) {
    // Too late for another answer: Express ends the connection, so the client
    // sees a broken response, not a short one.
    next(error);
    return;
  }
  const body: Problem = {
    // RFC 9457, 4.2.1: no semantics beyond the status code's.
    type: 'about:blank',
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    ...(problem.errors && { errors: [...problem.errors] }),
  };
  res
    .status(problem.status)
    .set({ 'Cache-Control': 'no-store', ...problem.headers })
    .type('application/problem+json')
    .send(JSON.stringify(body));
};

function asHttpProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof RepositoryUnavailable || error instanceof RepositoryUnusable) {
    return new HttpProblem(
      503,
      'Service Unavailable',
      'The database does not answer at the moment. Try again in a few seconds.',
      { headers: { 'Retry-After': '5' } },
    );
  }
  // Express and its body parser mark what the client did wrong with a 4xx status.
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) {
    return new HttpProblem(413, 'Content Too Large', 'The body is larger than 16 kB.');
  }
  if (status === 415) {
    return new HttpProblem(
      415,
      'Unsupported Media Type',
      'Send the body as application/json in UTF-8, plain or with gzip, deflate or br.',
      { headers: { Accept: 'application/json' } },
    );
  }
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new HttpProblem(
      400,
      'Bad Request',
      error instanceof SyntaxError
        ? 'The body is not valid JSON.'
        : 'The request could not be understood.',
    );
  }
  return new HttpProblem(
    500,
    'Internal Server Error',
    'Something went wrong on our side. It has been logged with this request’s X-Request-Id.',
  );
}
