import { z } from 'zod';
import type { ExperimentDocument } from '@turnout/contracts';
import { analyze } from '@turnout/stats';
import type { Counts } from '@turnout/stats';

/**
 * What looks at the results of one metric leave behind. The design is fixed by the first look,
 * since it must not depend on what is seen; the rest only advances: what was seen once stays
 * seen, whoever looked.
 */

const planSchema = z.object({
  kind: z.enum(['hybrid', 'open-ended', 'fixed']),
  metric: z.string(),
  minimumLift: z.number(),
  baseline: z.number(),
});

const designSchema = z.object({
  /** Key of the variant that the others are compared with. */
  control: z.string().exactOptional(),
  /** The plan of the document; absent where there was none, or where it is about another metric. */
  plan: planSchema.exactOptional(),
  /** Visitors of all variants at which the single look is taken. */
  plannedVisitors: z.number().exactOptional(),
  /** How many conversions the prior weighs. */
  kappa: z.number(),
});
export type Design = z.infer<typeof designSchema>;

const segmentSchema = z.object({
  arms: z
    .array(
      z.object({
        key: z.string(),
        weight: z.number(),
        visitors: z.number(),
        conversions: z.number(),
      }),
    )
    .readonly(),
});

export const lookSchema = z.object({
  design: designSchema,
  carry: z.object({
    sampleRatioP: z.number().nullable(),
    comparisons: z
      .array(
        z.object({ key: z.string(), p: z.number(), low: z.number(), high: z.number().nullable() }),
      )
      .readonly(),
  }),
  /** The segments at the first look that found the planned size reached. */
  atPlannedSize: z.array(segmentSchema).readonly().exactOptional(),
});
export type Look = z.infer<typeof lookSchema>;

/** What the prior weighs where no plan says what to expect; in conversions. */
const DEFAULT_KAPPA = 100;

/** Fixes what is to be known before the first visitor. */
export function designOf(document: ExperimentDocument, metric: string): Design {
  const { plan } = document;
  const control = controlOf(document);
  const fixed = { ...(control !== undefined && { control }), kappa: DEFAULT_KAPPA };
  if (plan === undefined || plan.metric !== metric) return fixed;
  const size = plannedSize(document);
  if (size === undefined) return { ...fixed, plan };
  return {
    ...fixed,
    plan,
    ...(plan.kind !== 'open-ended' && { plannedVisitors: size.visitors }),
    kappa: size.conversions / 8,
  };
}

export function controlOf({ variants }: ExperimentDocument): string | undefined {
  return variants.find(({ control }) => control)?.key;
}

/** Visitors that find the minimum lift, and conversions of control and one variant among them. */
function plannedSize(
  document: ExperimentDocument,
): { readonly visitors: number; readonly conversions: number } | undefined {
  const { plan, variants } = document;
  const control = controlOf(document);
  if (plan === undefined || control === undefined) return undefined;
  const { kind, minimumLift, baseline } = plan;
  const { sampleSize } = analyze({
    control,
    arms: variants.map(({ key, weight }) => ({ key, weight, visitors: 0, conversions: 0 })),
    // The size depends on the share of alpha that the single look has, not on any count.
    plan: { kind, ...(kind !== 'open-ended' && { plannedVisitors: 1 }) },
    power: { minimumLift, baseline },
  }).power;
  if (sampleSize.kind === 'unknown') return undefined;
  const { visitors, arms } = sampleSize;
  const compared = arms.filter(({ key }) => key !== control);
  const each = compared.reduce((sum, arm) => sum + arm.visitors, 0) / compared.length;
  const ofControl = arms.find(({ key }) => key === control)?.visitors ?? 0;
  return { visitors, conversions: baseline * (ofControl + each * (1 + minimumLift)) };
}

/** The plan as the analysis takes it. One whose size can't be told is open-ended. */
export function planOf(
  { plan, plannedVisitors }: Design,
  atPlannedSize: Look['atPlannedSize'],
): Counts['plan'] {
  if (plan === undefined || plannedVisitors === undefined) return { kind: 'open-ended' };
  return { kind: plan.kind, plannedVisitors, atPlannedSize };
}
