import { Router } from 'express';
import type { AuditLog } from '@turnout/contracts/management';
import { requireRole } from '../auth/require-role.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { queryCount } from '../http/checked.ts';
import { HttpProblem } from '../http/problem.ts';
import type { AuditRepository } from '../repository/audit-repository.ts';

/** Rows of one answer: unless asked for, and at most. */
const PAGE = { otherwise: 100, most: 1_000 };

/** `GET /audit`: who did what, newest first. */
export function auditRoutes(audit: AuditRepository): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/audit')
    .get(requireRole('admin'), async (req, res) => {
      const limit = queryCount(req.query, 'limit', PAGE) ?? PAGE.otherwise;
      const before = queryTime(req.query['before']);
      const entries = await audit.list({ limit, ...(before !== undefined && { before }) });
      const rows = entries.map(({ at, ...entry }) => ({ at: at.toISOString(), ...entry }));
      res.json({ rows } satisfies AuditLog);
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}

function queryTime(value: unknown): Date | undefined {
  if (value === undefined) return undefined;
  const time = typeof value === 'string' ? new Date(value) : undefined;
  if (time !== undefined && !Number.isNaN(time.getTime())) return time;
  throw new HttpProblem(
    400,
    'Bad Request',
    'Expected ?before= with a time such as 2026-01-31T12:00:00Z.',
  );
}
