import { Router } from 'express';
import type { Ledger } from '@turnout/router-core';
import type { Logger } from 'pino';
import { auditRoutes } from '../audit/audit-routes.ts';
import { offTheEdge } from '../auth/off-the-edge.ts';
import { requireToken } from '../auth/require-role.ts';
import type { Authenticate } from '../auth/tokens.ts';
import { experimentRoutes } from '../experiments/experiment-routes.ts';
import type { Experiments } from '../experiments/experiments.ts';
import type { MakePreviewLink } from '../experiments/preview-link.ts';
import { rampRoutes } from '../ramps/ramp-routes.ts';
import type { Ramps } from '../ramps/ramps.ts';
import type { AuditRepository } from '../repository/audit-repository.ts';
import type { VisitorRepository } from '../repository/visitor-repository.ts';
import { resultRoutes } from '../results/result-routes.ts';
import type { Results } from '../results/results.ts';
import { schemaRoutes } from '../schema/schema-routes.ts';
import { visitorRoutes } from '../visitors/visitor-routes.ts';

export interface Management {
  /** Undefined where no token is set up. */
  readonly authenticate: Authenticate | undefined;
  readonly experiments: Experiments;
  readonly makePreviewLink: MakePreviewLink;
  readonly ledger: Ledger;
  readonly audit: AuditRepository;
  readonly visitors: VisitorRepository;
  readonly now: () => Date;
  readonly ramps: Ramps;
  readonly results: Results;
}

/** `/v1`, for those who have a token; only the schema is for everybody. */
export function managementRoutes(management: Management, logger: Logger): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { authenticate, audit, ramps, results } = management;
  router.use(
    '/v1',
    offTheEdge(logger),
    schemaRoutes(),
    requireToken(authenticate),
    (_req, res, next) => {
      res.set('Cache-Control', 'no-store');
      next();
    },
  );
  router.use(
    '/v1',
    experimentRoutes(management),
    rampRoutes(ramps),
    resultRoutes(results),
    visitorRoutes(management),
    auditRoutes(audit),
  );
  return router;
}
