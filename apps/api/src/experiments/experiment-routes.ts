import { Router, json } from 'express';
import type { RequestHandler, Response } from 'express';
import {
  allocationSchema,
  creationSchema,
  previewRequestSchema,
  replacementSchema,
  revertSchema,
  statusChangeSchema,
} from '@turnout/contracts/management';
import type { ApplyResult, Change, Meaning } from '@turnout/contracts/management';
import { createTimeSlices } from '@turnout/router-core';
import { holderOf, requireRole } from '../auth/require-role.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { checkedBody, queryCount, queryFlag } from '../http/checked.ts';
import { requireJson } from '../http/json-body.ts';
import { checkedApplication } from './application-body.ts';
import { InvalidChange, StaleRevision } from './change-errors.ts';
import type { Edit } from './edit.ts';
import { allocationEdit, placements, revertEdit, statusEdit } from './edits.ts';
import type { Experiments } from './experiments.ts';
import type { MakePreviewLink } from './preview-link.ts';

export interface ExperimentRoutesOptions {
  readonly experiments: Experiments;
  readonly makePreviewLink: MakePreviewLink;
}

/** How a change is made. */
interface Manner {
  readonly reason: string;
  readonly dryRun: boolean;
  readonly meaning: Meaning;
  readonly isUrgent?: boolean;
}

/** Revisions of one answer: unless asked for, and at most. */
const HISTORY_PAGE = { otherwise: 100, most: 1_000 };
const MAX_REVISION = 999_999_999;

const body: RequestHandler[] = [requireJson, json({ limit: '1mb' })];
const viewer = requireRole('viewer');
const editor: RequestHandler[] = [requireRole('editor'), ...body];
/** A file of thousands of experiments: 1,000 with 200 rules each are some 9 MB. */
const applier: RequestHandler[] = [requireRole('editor'), requireJson, json({ limit: '32mb' })];
/** How long changes are written out before other work gets its turn, in ms. */
const SLICE = 10;

/** `/experiments` and `/apply`: what there is, and changes of it. */
export function experimentRoutes(options: ExperimentRoutesOptions): Router {
  const { experiments, makePreviewLink } = options;
  const router = Router({ caseSensitive: true, strict: true });

  /** Makes the change of one experiment, and answers with it. */
  async function answerChange(
    res: Response,
    edit: Edit,
    { reason, dryRun, meaning, isUrgent }: Manner,
  ): Promise<void> {
    const author = holderOf(res).name;
    const order = { edits: [edit], author, reason, meaning, dryRun };
    const [change] = await experiments.change({ ...order, isUrgent: isUrgent ?? false });
    if (change === undefined) throw new Error('A change of one experiment has no outcome.');
    sendChange(res, change);
  }

  router
    .route('/experiments')
    .get(viewer, async (req, res) => {
      res.json(await experiments.list(queryFlag(req.query, 'archived')));
    })
    .post(...editor, async (req, res) => {
      const { document, ...why } = checkedBody(creationSchema, req.body);
      const edit: Edit = { kind: 'create', key: document.key, at: ['document'], document };
      await answerChange(res, edit, { ...why, meaning: 'new-visitors' });
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/experiments/:key')
    .get(viewer, async (req, res) => {
      const record = await experiments.get(req.params.key);
      res.set('ETag', etag(record.revision)).json(record);
    })
    .put(...editor, async (req, res) => {
      const { document, revision, ...why } = checkedBody(replacementSchema, req.body);
      const { key } = req.params;
      if (document.key !== key) {
        const message = `expected ${JSON.stringify(key)}, as in the address, got ${JSON.stringify(document.key)}`;
        throw new InvalidChange([{ path: ['document', 'key'], message }]);
      }
      const alter = () => document;
      await answerChange(res, { kind: 'alter', key, at: ['document'], from: revision, alter }, why);
    })
    .all(allowOnly('GET', 'HEAD', 'PUT'));

  router
    .route('/experiments/:key/allocation')
    .post(...editor, async (req, res) => {
      const request = checkedBody(allocationSchema, req.body);
      await answerChange(res, allocationEdit(req.params.key, request), request);
    })
    .all(allowOnly('POST'));

  router
    .route('/experiments/:key/status')
    .post(...editor, async (req, res) => {
      const request = checkedBody(statusChangeSchema, req.body);
      const edit = statusEdit(req.params.key, request);
      const isUrgent = ['killed', 'paused'].includes(request.status);
      await answerChange(res, edit, { ...request, meaning: 'new-visitors', isUrgent });
    })
    .all(allowOnly('POST'));

  router
    .route('/experiments/:key/history')
    .get(viewer, async (req, res) => {
      const limit = queryCount(req.query, 'limit', HISTORY_PAGE) ?? HISTORY_PAGE.otherwise;
      const before = queryCount(req.query, 'before', { most: MAX_REVISION });
      res.json(await experiments.history(req.params.key, { limit, before }));
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/experiments/:key/revert')
    .post(...editor, async (req, res) => {
      const request = checkedBody(revertSchema, req.body);
      const { key } = req.params;
      const current = await experiments.get(key);
      if (current.revision !== request.revision) throw new StaleRevision(current, request.revision);
      const to = request.to ?? request.revision - 1;
      const earlier = await experiments.revision(key, to);
      if (earlier === undefined) {
        const message =
          request.to === undefined
            ? `expected a revision to go back to: ${request.revision} is the first`
            : `there is no revision ${to}`;
        throw new InvalidChange([{ path: ['to'], message }]);
      }
      await answerChange(res, revertEdit(key, request, earlier.document), request);
    })
    .all(allowOnly('POST'));

  router
    .route('/experiments/:key/preview')
    .post(...editor, async (req, res) => {
      const request = checkedBody(previewRequestSchema, req.body);
      const { document } = await experiments.get(req.params.key);
      res.json(await makePreviewLink(document, request, holderOf(res).name));
    })
    .all(allowOnly('POST'));

  router
    .route('/apply')
    .post(...applier, async (req, res) => {
      const { experiments: documents, revisions, ...why } = await checkedApplication(req.body);
      const edits = placements(documents, revisions);
      const author = holderOf(res).name;
      const changes = await experiments.change({ ...why, edits, author });
      await sendApplied(res, { changes });
    })
    .all(allowOnly('POST'));

  return router;
}

/** Written piece by piece: thousands of changes take a while. */
async function sendApplied(res: Response, { changes }: ApplyResult): Promise<void> {
  const slice = createTimeSlices(SLICE);
  const texts: string[] = [];
  for (const change of changes) {
    texts.push(JSON.stringify(change));
    await slice();
  }
  res.type('application/json').end(`{"changes":[${texts.join(',')}]}`);
}

function sendChange(res: Response, change: Change): void {
  const { experiment, action, dryRun } = change;
  if (!dryRun) res.set('ETag', etag(experiment.revision));
  if (action === 'create' && !dryRun) {
    res.status(201).set('Location', `/v1/experiments/${experiment.key}`);
  }
  res.json(change);
}

/** An experiment's revision as an entity tag (RFC 9110, 8.8.3). */
function etag(revision: number): string {
  return `"${revision}"`;
}
