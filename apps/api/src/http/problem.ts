import type { ErrorRequestHandler, Response } from 'express';
import { pathName } from '@turnout/contracts';
import type { Problem as ContractProblem } from '@turnout/contracts';
import type { Problem } from '@turnout/contracts/product';
import {
  InvalidChange,
  StaleRevision,
  TooManyChanges,
  UnknownExperiment,
} from '../experiments/change-errors.ts';
import { RampConflict, UnknownRamp } from '../ramps/ramp-errors.ts';
import { NoMetric, UnknownPhase } from '../results/results-errors.ts';
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
  /** Members of the problem document beyond those of RFC 9457. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    extra: {
      errors?: readonly FieldError[];
      members?: Readonly<Record<string, unknown>>;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: extra.cause });
    this.status = status;
    this.title = title;
    this.errors = extra.errors;
    this.members = extra.members ?? {};
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
  const body: Problem & Record<string, unknown> = {
    ...problem.members,
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

/** Changes of experiments that can not be made, each with what the client needs to mend it. */
function asRefusedChange(error: unknown): HttpProblem | undefined {
  if (error instanceof NoMetric) return new HttpProblem(400, 'Bad Request', error.message);
  if (
    error instanceof UnknownExperiment ||
    error instanceof UnknownRamp ||
    error instanceof UnknownPhase
  ) {
    return new HttpProblem(404, 'Not Found', error.message);
  }
  if (error instanceof StaleRevision) {
    const { current } = error;
    return new HttpProblem(409, 'Conflict', error.message, { members: { current } });
  }
  if (error instanceof RampConflict) return new HttpProblem(409, 'Conflict', error.message);
  if (error instanceof InvalidChange) return unprocessable(error.message, error.problems);
  if (error instanceof TooManyChanges) {
    return new HttpProblem(429, 'Too Many Requests', error.message, {
      headers: { 'Retry-After': '1' },
    });
  }
  return undefined;
}

/** 422 with every problem and its place in the request's body. */
export function unprocessable(detail: string, problems: readonly ContractProblem[]): HttpProblem {
  return new HttpProblem(422, 'Unprocessable Content', detail, {
    errors: problems.map(({ path, message }) => ({ field: pathName(path), message })),
  });
}

function sizeName(bytes: number): string {
  const kilobytes = Math.round(bytes / 1024);
  return kilobytes < 1024 ? `${kilobytes} kB` : `${Math.round(kilobytes / 1024)} MB`;
}

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
  const refused = asRefusedChange(error);
  if (refused !== undefined) return refused;
  // Express and its body parser mark what the client did wrong with a 4xx status.
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) {
    const limit = error instanceof Error && 'limit' in error ? Number(error.limit) : Number.NaN;
    const most = limit > 0 ? `larger than ${sizeName(limit)}` : 'too large';
    return new HttpProblem(
      413,
      'Content Too Large',
      `The body is ${most}. Send less at once: of a file of experiments, some first, then the others.`,
    );
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
