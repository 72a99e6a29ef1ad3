import type { RequestHandler } from 'express';
import { HttpProblem } from './problem.ts';

/** Refuses a missing body (400) and one that is not declared as JSON (415). */
export const requireJson: RequestHandler = (req, _res, next) => {
  // `is` answers null for a request without a body.
  const type = req.is('application/json');
  if (type === null || req.get('Content-Length') === '0') {
    throw new HttpProblem(400, 'Bad Request', 'The body is missing. Send a JSON object.');
  }
  if (type === false) {
    throw new HttpProblem(415, 'Unsupported Media Type', 'Send the body as application/json.', {
      headers: { Accept: 'application/json' },
    });
  }
  next();
};
