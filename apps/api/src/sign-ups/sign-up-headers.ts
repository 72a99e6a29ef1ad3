import type { Request } from 'express';
import { HttpProblem } from '../http/problem.ts';

/** What a sign-up's headers say about it, checked for length and alphabet. */
export interface SignUpHeaders {
  readonly visitor: string | null;
  readonly assignments: string | null;
  readonly idempotencyKey: string | null;
}

const VISITOR = /^[\w-]{1,64}$/;
const ASSIGNMENTS = /^[\x20-\x7e]{1,1024}$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Reads the edge's visitor headers and the client's Idempotency-Key. A visitor
 * header that is odd is left out, since no sign-up may fail for the sake of
 * measuring; an odd key is refused, since its client counts on it.
 */
export function signUpHeaders(req: Request): SignUpHeaders {
  const idempotencyKey = req.get('Idempotency-Key');
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw new HttpProblem(
      400,
      'Bad Request',
      'Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID.',
    );
  }
  return {
    visitor: matching(req.get('X-Turnout-Visitor'), VISITOR),
    assignments: matching(req.get('X-Turnout-Assignments'), ASSIGNMENTS),
    idempotencyKey: idempotencyKey ?? null,
  };
}

function matching(value: string | undefined, pattern: RegExp): string | null {
  return value !== undefined && pattern.test(value) ? value : null;
}
