import { z } from 'zod';
import { durationSchema } from './duration.ts';

/**
 * A guarded ramp: more and more coverage, each step only if the variants do no worse than
 * control. The API walks it by itself; every step is a revision.
 */

/** Slots of 10,000 that take part, and for how long at least. */
const stepSchema = z.strictObject({
  coverage: z.int().min(0).max(10_000),
  for: durationSchema.exactOptional(),
});

const stepsSchema = z
  .array(stepSchema)
  .min(1)
  .max(50)
  .superRefine((steps, context) => {
    for (const [index, { coverage }] of steps.entries()) {
      const before = steps[index - 1]?.coverage ?? -1;
      if (coverage > before) continue;
      context.addIssue({
        code: 'custom',
        path: [index, 'coverage'],
        message: `expected more than the ${before} of the step before, got ${coverage}`,
      });
    }
  });

/** What a variant may do worse than control; a breach rolls the ramp back. */
const gatesSchema = z.strictObject({
  /** Requests of a variant, since the step began, before its gates say anything. */
  minimumRequests: z.int().min(1).default(200),
  /** Percentage points that the rate of 5xx answers may be above control's. */
  errorRate: z.number().gt(0).max(100).default(1),
  /** Times control's 95th percentile of the time to first byte. */
  firstByte: z.number().gt(1).max(100).default(2),
  /** Below this p, the split is not the one that was planned. */
  sampleRatio: z.number().gt(0).lt(0.05).default(0.001),
});

/** `PUT /v1/experiments/:key/ramp` */
export const rampRequestSchema = z.strictObject({
  steps: stepsSchema,
  gates: gatesSchema.prefault({}),
  revision: z.int().min(1),
  reason: z.string().trim().min(1).max(500),
});
export type RampRequest = z.infer<typeof rampRequestSchema>;

/** What one gate says of one variant. */
export interface GateReading {
  readonly gate: 'errorRate' | 'firstByte' | 'sampleRatio';
  /** Absent for the sample ratio, which is about all of them. */
  readonly variant?: string;
  readonly verdict: 'pass' | 'fail' | 'too-few';
  /** For people: `1.2 % of 830 answers were 5xx, control had 0.1 % of 4,120`. */
  readonly detail: string;
}

/** `GET /v1/experiments/:key/ramp` */
export interface RampState {
  readonly experiment: string;
  readonly status: 'stepping' | 'holding' | 'done' | 'rolled-back' | 'stopped';
  readonly steps: RampRequest['steps'];
  readonly gates: RampRequest['gates'];
  /** Index of the step that is in force. */
  readonly step: number;
  /** Coverage to which it rolls back. */
  readonly before: number;
  /** ISO 8601, UTC. */
  readonly stepSince: string;
  /** When the next step may come, at the earliest. */
  readonly nextAt?: string;
  readonly readings: readonly GateReading[];
  /** Why it holds, or was rolled back. */
  readonly reason?: string;
}
