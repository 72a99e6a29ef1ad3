import type { RequestHandler } from 'express';
import { HttpProblem } from './problem.ts';

/**
 * Last handler of a route: answers OPTIONS, and refuses every method without a
 * handler with 405 and the Allow header that RFC 9110, 15.5.6 asks for.
 */
export function allowOnly(...methods: string[]): RequestHandler {
  const allow = [...methods, 'OPTIONS'].join(', ');
  return (req, res) => {
    if (req.method === 'OPTIONS') {
      res.set('Allow', allow).status(204).end();
      return;
    }
    throw new HttpProblem(
      405,
      'Method Not Allowed',
      `This resource answers ${allow}, not ${req.method}.`,
      { headers: { Allow: allow } },
    );
  };
}
