import { Router } from 'express';
import { requireRole } from '../auth/require-role.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { queryCount, queryFlag, queryKey } from '../http/checked.ts';
import type { Results } from './results.ts';

const MAX_PHASE = 999_999_999;

/** `/experiments/:key/results` */
export function resultRoutes(results: Results): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/experiments/:key/results')
    .get(requireRole('viewer'), async (req, res) => {
      res.json(
        await results.of(req.params.key, {
          phase: queryCount(req.query, 'phase', { most: MAX_PHASE }),
          metric: queryKey(req.query, 'metric'),
          anyway: queryFlag(req.query, 'anyway'),
        }),
      );
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}
