import express from 'express';
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { healthRoutes } from './health/health-routes.ts';
import { metricsRoutes } from './health/metrics-routes.ts';
import { HttpProblem, sendProblem } from './http/problem.ts';
import { logRequests } from './http/request-log.ts';
import { managementRoutes } from './management/management-routes.ts';
import type { Management } from './management/management-routes.ts';
import { planRoutes } from './plans/plan-routes.ts';
import type { ProductRepository } from './repository/product-repository.ts';
import { signUpRoutes } from './sign-ups/sign-up-routes.ts';

export interface AppOptions {
  readonly repository: ProductRepository;
  readonly management: Management;
  readonly metrics: Registry;
  readonly logger: Logger;
  /** Makes ids of sign-ups and requests; UUIDv7 in production. */
  readonly newId: () => string;
  readonly now: () => Date;
  /** Monotonic clock in milliseconds. */
  readonly clock: () => number;
}

/** The whole API as an Express app: log, routes, 404, problem documents. */
export function createApp(options: AppOptions): Express {
  const { repository, management, metrics, logger, newId, now, clock } = options;
  const app = express();
  app.disable('x-powered-by');
  app.use(logRequests({ logger, newId, clock }));
  app.use(healthRoutes(repository));
  app.use(metricsRoutes(metrics));
  app.use(planRoutes(repository));
  app.use(signUpRoutes({ repository, newId, now }));
  app.use(managementRoutes(management, logger));
  app.use(() => {
    throw new HttpProblem(404, 'Not Found', 'There is nothing at this address.');
  });
  app.use(sendProblem);
  return app;
}
