import type { RequestHandler, Response } from 'express';
import type { Role } from '@turnout/contracts/management';
import { HttpProblem } from '../http/problem.ts';
import { isAllowed } from './tokens.ts';
import type { Authenticate, Holder } from './tokens.ts';

/** Who sends each request, while it is answered. */
const holders = new WeakMap<Response, Holder>();

/**
 * Lets in whoever has a bearer token (RFC 6750); others get 401.
 *
 * @param authenticate undefined where no tokens are set up: then nobody gets in (503)
 */
export function requireToken(authenticate: Authenticate | undefined): RequestHandler {
  return (req, res, next) => {
    if (authenticate === undefined) {
      throw new HttpProblem(
        503,
        'Service Unavailable',
        'Managing experiments is off, as no token is set. Start the API with TURNOUT_ADMIN_TOKEN, at least 16 characters.',
      );
    }
    const [, token] = /^Bearer +(\S+) *$/i.exec(req.get('Authorization') ?? '') ?? [];
    if (token === undefined) {
      throw unauthorized('Send a token: "Authorization: Bearer …".', '');
    }
    const holder = authenticate(token);
    if (holder === undefined) {
      throw unauthorized('This token is not known.', ', error="invalid_token"');
    }
    holders.set(res, holder);
    next();
  };
}

function unauthorized(detail: string, challenge: string): HttpProblem {
  return new HttpProblem(401, 'Unauthorized', detail, {
    headers: { 'WWW-Authenticate': `Bearer realm="turnout"${challenge}` },
  });
}

/** Lets in holders of `role` or one above; others get 403, which names it. Behind `requireToken`. */
export function requireRole(role: Role): RequestHandler {
  return (_req, res, next) => {
    const holder = holderOf(res);
    if (!isAllowed(holder.role, role)) {
      throw new HttpProblem(
        403,
        'Forbidden',
        `This needs the role ${role}; ${holder.name} is ${holder.role}.`,
      );
    }
    next();
  };
}

/** Who sent the request. Behind `requireToken`. */
export function holderOf(res: Response): Holder {
  const holder = holders.get(res);
  if (holder === undefined) throw new Error('Nobody has checked the token of this request.');
  return holder;
}
