import { Router } from 'express';
import { allowOnly } from '../http/allowed-methods.ts';
import type { ProductRepository } from '../repository/product-repository.ts';

/** `GET /healthz`: 200 when the database answers, else the 503 of every other route. */
export function healthRoutes(repository: ProductRepository): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/healthz')
    .get(async (_req, res) => {
      await repository.check();
      res.set('Cache-Control', 'no-store').json({ status: 'ok' });
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}
