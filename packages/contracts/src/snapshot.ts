import { z } from 'zod';
import { experimentSchema } from './experiment.ts';

/**
 * All experiments at one moment: what the API publishes and every edge follows. An edge takes
 * a snapshot whole or not at all.
 */
export const snapshotSchema = z.strictObject({
  format: z.literal(1),
  /** Grows with every change of any experiment. */
  revision: z.int().min(1),
  /** Milliseconds since 1970. */
  publishedAt: z.int().min(0),
  experiments: z.array(experimentSchema),
});

export type Snapshot = z.infer<typeof snapshotSchema>;
