import { Router } from 'express';
import { experimentSchema } from '@turnout/contracts';
import { z } from 'zod';
import { allowOnly } from '../http/allowed-methods.ts';

/** `GET /schema/experiment.json`: the JSON Schema of documents, for editors. */
export function schemaRoutes(): Router {
  const schema = JSON.stringify({
    title: 'An experiment of Turnout',
    ...z.toJSONSchema(experimentSchema, { io: 'input' }),
  });
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/schema/experiment.json')
    .get((_req, res) => {
      res.type('application/schema+json').set('Cache-Control', 'public, max-age=3600').send(schema);
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}
