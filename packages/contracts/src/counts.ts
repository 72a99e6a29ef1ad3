import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { placeOf } from './problem.ts';
import { schemaProblems } from './schema-problems.ts';

/**
 * What an analysis is made from, as JSON: `turnout analyze`. docs/statistics.md tells every name.
 * Which numbers make sense together, the analysis checks itself.
 */

const segmentSchema = z.strictObject({
  arms: z.array(
    z.strictObject({
      key: z.string().min(1, 'expected a name'),
      weight: z.number(),
      visitors: z.number(),
      conversions: z.number(),
    }),
  ),
});

const byArm = z.record(z.string(), z.number());

const countsSchema = z.strictObject({
  control: z.string().exactOptional(),
  alpha: z.number().exactOptional(),
  kappa: z.number().exactOptional(),
  expectedConversions: z.number().exactOptional(),
  ...segmentSchema.shape,
  earlier: z.array(segmentSchema).exactOptional(),
  plan: z
    .strictObject({
      kind: z.enum(['hybrid', 'open-ended', 'fixed']),
      plannedVisitors: z.number().exactOptional(),
      atPlannedSize: z.array(segmentSchema).exactOptional(),
    })
    .exactOptional(),
  previous: z
    .strictObject({
      sampleRatioP: z.number().nullable(),
      comparisons: z.array(
        z.strictObject({
          key: z.string(),
          p: z.number(),
          low: z.number(),
          high: z.number().nullable(),
        }),
      ),
    })
    .exactOptional(),
  power: z
    .strictObject({
      minimumLift: z.number().exactOptional(),
      baseline: z.number().exactOptional(),
      power: z.number().exactOptional(),
      visitorsPerDay: z.number().exactOptional(),
    })
    .exactOptional(),
  stages: z.array(z.strictObject({ stage: z.string(), visitors: byArm })).exactOptional(),
  slices: z
    .record(
      z.string(),
      z.array(
        z.strictObject({ value: z.string(), visitors: byArm, weights: byArm.exactOptional() }),
      ),
    )
    .exactOptional(),
  fallbacks: byArm.exactOptional(),
});
export type CountsDocument = z.infer<typeof countsSchema>;

/**
 * Reads counts from JSON.
 *
 * @param name of the source, for messages
 * @throws {ConfigError} that names every problem and its place
 */
export function readCounts(source: string, name: string): CountsDocument {
  let raw: unknown;
  try {
    raw = JSON.parse(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(name, [`expected JSON such as {"arms": […]}: ${reason}`]);
  }
  const result = countsSchema.safeParse(raw);
  if (result.success) return result.data;
  throw new ConfigError(
    name,
    schemaProblems(result.error, raw).map(({ path, message }) => `${placeOf(path)}${message}`),
  );
}
