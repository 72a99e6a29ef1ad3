import { Router, json } from 'express';
import { rampRequestSchema } from '@turnout/contracts/ramp';
import { holderOf, requireRole } from '../auth/require-role.ts';
import { allowOnly } from '../http/allowed-methods.ts';
import { checkedBody } from '../http/checked.ts';
import { requireJson } from '../http/json-body.ts';
import type { Ramps } from './ramps.ts';

const viewer = requireRole('viewer');
const editor = requireRole('editor');

/** `/experiments/:key/ramp`: starts, shows and stops the ramp of an experiment. */
export function rampRoutes(ramps: Ramps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/experiments/:key/ramp')
    .get(viewer, async (req, res) => {
      res.json(await ramps.get(req.params.key));
    })
    .put(editor, requireJson, json(), async (req, res) => {
      const request = checkedBody(rampRequestSchema, req.body);
      res.json(await ramps.start(req.params.key, request, holderOf(res).name));
    })
    .delete(editor, async (req, res) => {
      res.json(await ramps.stop(req.params.key, holderOf(res).name));
    })
    .all(allowOnly('GET', 'HEAD', 'PUT', 'DELETE'));
  return router;
}
