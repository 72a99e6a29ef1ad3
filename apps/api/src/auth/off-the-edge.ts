import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { HttpProblem } from '../http/problem.ts';

/**
 * Answers what came through an edge as if there were nothing: management is not for the public
 * port. No route of ours leads here; this holds when somebody writes one by mistake.
 *
 * An edge adds `Forwarded` (RFC 7239) to every request that it passes on, and a client can
 * neither prevent nor remove it. So what carries it came from outside, as does whatever
 * carries a field that is the edge's own.
 */
export function offTheEdge(logger: Logger): RequestHandler {
  return (req, _res, next) => {
    const fields = Object.keys(req.headers);
    if (fields.some((name) => name === 'forwarded' || name.startsWith('x-turnout-'))) {
      logger.warn(
        'A request for /v1 came through an edge, and got 404. Take the route that leads it here ' +
          'out of turnout.yaml; a proxy of your own in front of /v1 must not send Forwarded.',
      );
      throw new HttpProblem(404, 'Not Found', 'There is nothing at this address.');
    }
    next();
  };
}
