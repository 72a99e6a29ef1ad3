import { Router } from 'express';
import { planListSchema } from '@turnout/contracts/product';
import { allowOnly } from '../http/allowed-methods.ts';
import { HttpProblem } from '../http/problem.ts';
import type { ProductRepository } from '../repository/product-repository.ts';

/** Plans change a few times a year; a minute of staleness saves nearly every query. */
const CACHE_CONTROL = 'public, max-age=60';

/** `GET /api/plans` and `GET /api/plans/:id`; both cacheable, with an ETag. */
export function planRoutes(repository: ProductRepository): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/api/plans')
    .get(async (_req, res) => {
      const list = planListSchema.parse({ plans: await repository.listPlans() });
      res.set('Cache-Control', CACHE_CONTROL).json(list);
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/api/plans/:id')
    .get(async (req, res) => {
      const plan = await repository.findPlan(req.params.id);
      if (!plan) throw new HttpProblem(404, 'Not Found', 'There is no plan with this id.');
      res.set('Cache-Control', CACHE_CONTROL).json(plan);
    })
    .all(allowOnly('GET', 'HEAD'));

  return router;
}
