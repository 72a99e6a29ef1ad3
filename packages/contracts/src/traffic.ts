import { z } from 'zod';

/**
 * What the variants of one edge have answered: `GET /v1/traffic` of its private port. Counts
 * only ever grow, from the start of the edge, over all its workers.
 */

const count = z.int().min(0);

/**
 * Of the visitors who are assigned to a variant. Those whom a variant is served without being
 * assigned (holdout, killed, concluded, forced, previewed) are in none.
 */
const variantTrafficSchema = z.strictObject({
  experiment: z.string(),
  variant: z.string(),
  /** Requests that were answered, by whom ever; not those whose visitor left before. */
  requests: count,
  /** Of these, how many by a 5xx: the upstream's own, or ours in its place. */
  serverErrors: count,
  /** Visitors whom the hash gave this variant: each once, at their first request. */
  newVisitors: count,
  /**
   * Answers by how long the upstream took to their head: up to the first of `firstByteBounds`,
   * up to the second, …, and above the last.
   */
  firstByte: z.array(count),
});
export type VariantTraffic = z.infer<typeof variantTrafficSchema>;

export const trafficReportSchema = z.strictObject({
  /** Another one after each start of the edge, when all counts begin at 0. */
  run: z.string().min(1),
  /** Of the snapshot that all that is counted from now on is decided by; 0: there is none yet. */
  snapshot: count,
  /** Seconds, rising. */
  firstByteBounds: z.array(z.number().gt(0)),
  variants: z.array(variantTrafficSchema),
});
export type TrafficReport = z.infer<typeof trafficReportSchema>;
