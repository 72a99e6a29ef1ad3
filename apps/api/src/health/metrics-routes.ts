import { Router } from 'express';
import type { Registry } from 'prom-client';
import { allowOnly } from '../http/allowed-methods.ts';

/** `GET /metrics`, in the text format of Prometheus. */
export function metricsRoutes(registry: Registry): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/metrics')
    .get(async (_req, res) => {
      const text = await registry.metrics();
      res.set({ 'Cache-Control': 'no-store', 'Content-Type': registry.contentType }).send(text);
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}
