import type { RampState } from '@turnout/contracts/ramp';
import { z } from 'zod';
import { dueAt, isUnderWay } from './next-step.ts';
import { stepTrafficSchema } from './step-traffic.ts';

const readingSchema = z.strictObject({
  gate: z.enum(['errorRate', 'firstByte', 'sampleRatio']),
  variant: z.string().exactOptional(),
  verdict: z.enum(['pass', 'fail', 'too-few']),
  detail: z.string(),
});

/** A ramp as it is stored. Steps and gates are those of a request that was checked. */
export const rampSchema = z.strictObject({
  experiment: z.string(),
  startedBy: z.string(),
  status: z.enum(['stepping', 'holding', 'done', 'rolled-back', 'stopped']),
  steps: z.array(z.strictObject({ coverage: z.int(), for: z.int().exactOptional() })).min(1),
  gates: z.strictObject({
    minimumRequests: z.int(),
    errorRate: z.number(),
    firstByte: z.number(),
    sampleRatio: z.number(),
  }),
  /** Index of the step in force. */
  step: z.int().min(0),
  /** Coverage to which it rolls back. */
  before: z.int(),
  /** Milliseconds since 1970. */
  stepSince: z.int(),
  /** Coverage that the experiment has by the ramp's doing; another one was set by hand. */
  coverage: z.int(),
  /** Revision of the experiment when the ramp last looked. */
  revision: z.int(),
  /** What an edge counts that decides by an older snapshot says nothing of the step in force. */
  snapshot: z.int().min(0).default(0),
  traffic: stepTrafficSchema,
  sampleRatioP: z.number(),
  readings: z.array(readingSchema),
  reason: z.string().exactOptional(),
});
export type Ramp = z.infer<typeof rampSchema>;

/** A ramp as the API shows it. */
export function rampState(ramp: Ramp): RampState {
  const { experiment, status, steps, gates, step, before, readings, reason } = ramp;
  const stepSince = new Date(ramp.stepSince);
  return {
    experiment,
    status,
    steps,
    gates,
    step,
    before,
    stepSince: stepSince.toISOString(),
    ...(isUnderWay(status) && { nextAt: dueAt({ steps, step, stepSince }).toISOString() }),
    readings,
    ...(reason !== undefined && { reason }),
  };
}
