import { Router, json } from 'express';
import { signUpRequestSchema } from '@turnout/contracts/product';
import type { SignUpRequest } from '@turnout/contracts/product';
import { allowOnly } from '../http/allowed-methods.ts';
import { HttpProblem } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';
import type { ProductRepository } from '../repository/product-repository.ts';
import { requireJson } from '../http/json-body.ts';
import { signUpHeaders } from './sign-up-headers.ts';

export interface SignUpRoutesOptions {
  readonly repository: ProductRepository;
  readonly newId: () => string;
  readonly now: () => Date;
}

/**
 * `POST /api/sign-ups`: 201 with the stored sign-up once it is durable. A retry
 * with the same Idempotency-Key and body gets the first answer again
 * (draft-ietf-httpapi-idempotency-key-header); with another body, 422.
 */
export function signUpRoutes({ repository, newId, now }: SignUpRoutesOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/api/sign-ups')
    .post(requireJson, json({ limit: '16kb' }), async (req, res) => {
      const headers = signUpHeaders(req);
      const request = signUpRequest(req.body);
      const result = await repository.recordSignUp({
        ...request,
        ...headers,
        id: newId(),
        createdAt: now(),
      });
      if (result.outcome === 'unknown-plan') {
        throw refused([{ field: 'plan', message: 'Choose one of the plans that we offer.' }]);
      }
      if (result.outcome === 'key-reused') {
        throw new HttpProblem(
          422,
          'Unprocessable Content',
          'This Idempotency-Key was used for a different sign-up. Send a new key with new data.',
        );
      }
      res.status(201).set('Cache-Control', 'no-store').json(result.signUp);
    })
    .all(allowOnly('POST'));
  return router;
}

/** The checked body, or a 422 that names every field that is wrong, each with its first fault. */
function signUpRequest(body: unknown): SignUpRequest {
  const parsed = signUpRequestSchema.safeParse(body);
  if (parsed.success) {
    // A lone surrogate can not be stored as UTF-8 and read back the same.
    return { ...parsed.data, name: parsed.data.name.toWellFormed() };
  }
  const messages = new Map<string, string>();
  for (const issue of parsed.error.issues) {
    const fields = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.')];
    const message = issue.code === 'unrecognized_keys' ? 'This field is not known.' : issue.message;
    for (const field of fields) if (!messages.has(field)) messages.set(field, message);
  }
  throw refused([...messages].map(([field, message]) => ({ field, message })));
}

function refused(errors: readonly FieldError[]): HttpProblem {
  return new HttpProblem(
    422,
    'Unprocessable Content',
    'Some fields need another look; `errors` names each.',
    { errors },
  );
}
