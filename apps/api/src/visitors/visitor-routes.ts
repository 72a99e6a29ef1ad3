import { createHash, randomBytes } from 'node:crypto';
import { Router, json } from 'express';
import { reassignmentSchema } from '@turnout/contracts/management';
import type { Erasure, VisitorAssignments } from '@turnout/contracts/management';
import { isVisitorId } from '@turnout/router-core';
import type { Ledger, VisitorId } from '@turnout/router-core';
import { holderOf, requireRole } from '../auth/require-role.ts';
import { InvalidChange } from '../experiments/change-errors.ts';
import type { Experiments } from '../experiments/experiments.ts';
import { unknownVariant } from '../experiments/unknown-variant.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { checkedBody } from '../http/checked.ts';
import { requireJson } from '../http/json-body.ts';
import { HttpProblem } from '../http/problem.ts';
import type { AuditRepository } from '../repository/audit-repository.ts';
import type { VisitorRepository } from '../repository/visitor-repository.ts';

export interface VisitorRoutesOptions {
  readonly ledger: Ledger;
  readonly experiments: Experiments;
  readonly visitors: VisitorRepository;
  readonly audit: AuditRepository;
  readonly now: () => Date;
}

/** `/visitors/:visitor`: what is remembered of one visitor, a change of it, and its erasure. */
export function visitorRoutes(options: VisitorRoutesOptions): Router {
  const { ledger, experiments, visitors, audit, now } = options;
  const router = Router({ caseSensitive: true, strict: true });

  async function assignmentsOf(visitor: VisitorId): Promise<VisitorAssignments> {
    const stored = await ofLedger(ledger.get(visitor));
    const assignments = [...stored].map(([experiment, assignment]) => ({
      experiment,
      ...assignment,
    }));
    return { visitor, assignments };
  }

  router
    .route('/visitors/:visitor')
    .get(requireRole('viewer'), async (req, res) => {
      res.json(await assignmentsOf(visitorOf(req.params.visitor)));
    })
    .delete(requireRole('admin'), async (req, res) => {
      const visitor = visitorOf(req.params.visitor);
      // The ledger first: if it can't be reached, nothing is done and the caller tries again.
      const assignments = await ofLedger(ledger.forget(visitor));
      const signUps = await visitors.forget(visitor, randomBytes(16).toString('base64url'), {
        at: now(),
        author: holderOf(res).name,
        action: 'visitor.forget',
        subject: fingerprint(visitor),
        reason: 'erasure',
      });
      res.json({ visitor, erased: { assignments, signUps } } satisfies Erasure);
    })
    .all(allowOnly('GET', 'HEAD', 'DELETE'));

  router
    .route('/visitors/:visitor/assignments/:experiment')
    .put(requireRole('admin'), requireJson, json({ limit: '16kb' }), async (req, res) => {
      const { variant, reason } = checkedBody(reassignmentSchema, req.body);
      const visitor = visitorOf(req.params.visitor);
      const { key, document } = await experiments.get(req.params.experiment);
      const problems = unknownVariant(document, variant, ['variant']);
      if (problems.length > 0) throw new InvalidChange(problems);
      const { phase, revision } = document;
      // Written down first: what is done without a trace would be worse than a trace of nothing.
      await audit.record({
        at: now(),
        author: holderOf(res).name,
        action: 'visitor.reassign',
        subject: fingerprint(visitor),
        reason: `${key}=${variant}: ${reason}`,
      });
      await ofLedger(ledger.set(visitor, key, { variant, phase, revision }));
      res.json(await assignmentsOf(visitor));
    })
    .all(allowOnly('PUT'));

  return router;
}

function visitorOf(text: string): VisitorId {
  if (isVisitorId(text)) return text;
  throw new HttpProblem(
    404,
    'Not Found',
    'There is no such visitor: expected the 22 characters that stand second in the visitor cookie.',
  );
}

/** Who a visitor is in the audit. Erasing one must not leave the id behind in the audit; who knows it can still find the rows. */
function fingerprint(visitor: VisitorId): string {
  return `visitor:${createHash('sha256').update(visitor).digest('hex').slice(0, 16)}`;
}

async function ofLedger<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (cause) {
    throw new HttpProblem(
      503,
      'Service Unavailable',
      'The ledger does not answer at the moment. Try again in a few seconds; to ask twice does no harm.',
      { headers: { 'Retry-After': '5' }, cause },
    );
  }
}
