import { z } from 'zod';

/** An experiment's key: it stands in cookies, Redis keys and metric labels. */
const keySchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'expected lower-case letters, digits and dashes (at most 63)',
  );

/** A variant's key, such as `control`, `A` or `B`. */
const variantKeySchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'expected letters, digits, - and _ (at most 32)');

/** Percent with at most two decimals, so that a weight is a whole number of the 10,000 slots. */
const weightSchema = z
  .number()
  .min(0)
  .max(100)
  .refine(
    (weight) => Number.isInteger(Math.round(weight * 1e6) / 1e4),
    'expected at most two decimals (one slot is 0.01 %)',
  );

const slotSchema = z.int().min(0).max(10_000);

const variantSchema = z.strictObject({
  key: variantKeySchema,
  upstream: z.string(),
  weight: weightSchema,
  control: z.boolean().default(false),
});

/** Which requests or visitors: predicates, and their combinations. */
export type Predicate =
  | { cookie: { name: string } }
  | { not: Predicate }
  | { all: Predicate[] }
  | { any: Predicate[] };

const predicateSchema: z.ZodType<Predicate> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ cookie: z.strictObject({ name: z.string().min(1) }) }),
      z.strictObject({ not: predicateSchema }),
      z.strictObject({ all: z.array(predicateSchema).min(1) }),
      z.strictObject({ any: z.array(predicateSchema).min(1) }),
    ],
    'expected one predicate: { cookie: { name } }, { not }, { all } or { any }',
  ),
);

const pathPatternSchema = z.string().startsWith('/', 'expected a path that begins with "/"');

/**
 * An experiment: which requests it is about, who takes part, and the variants
 * with their shares. Every change of it is a new revision.
 */
export const experimentSchema = z
  .strictObject({
    key: keySchema,
    /**
     * running | paused (no new visitors) | killed (all get control, now) |
     * concluded (all get the winner) | draft (not yet).
     */
    status: z.enum(['draft', 'running', 'paused', 'killed', 'concluded']),
    revision: z.int().positive().default(1),
    /** A new phase puts every visitor into a variant afresh. */
    phase: z.int().positive().default(1),
    /** What the hash is salted with; the key unless given. */
    salt: z.string().min(1).max(128).exactOptional(),
    scope: z
      .strictObject({
        paths: z.array(pathPatternSchema).min(1).default(['/**']),
        hosts: z.array(z.string().min(1)).default([]),
      })
      .prefault({}),
    audience: predicateSchema.exactOptional(),
    /** Experiments of one layer never overlap: each owns slots of it. */
    layer: z
      .strictObject({ name: keySchema, slots: z.tuple([slotSchema, slotSchema]) })
      .refine(({ slots }) => slots[0] < slots[1], 'expected slots: [from, to) with from < to')
      .exactOptional(),
    /** Of 10,000: how many take part. The rest are the holdout and get control. */
    coverage: slotSchema.default(10_000),
    variants: z.array(variantSchema).min(1).max(200),
    /** The variant that all get once the experiment is concluded. */
    winner: variantKeySchema.exactOptional(),
  })
  .superRefine(({ status, variants, winner }, context) => {
    const keys = variants.map((variant) => variant.key);
    const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
    if (repeated !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['variants'],
        message: `variant ${JSON.stringify(repeated)} is there twice`,
      });
    }
    const sum = Math.round(variants.reduce((total, variant) => total + variant.weight * 100, 0));
    if (sum !== 10_000) {
      const parts = variants.map((variant) => variant.weight).join(' + ');
      context.addIssue({
        code: 'custom',
        path: ['variants'],
        message: `weights must add up to 100, got ${parts} = ${sum / 100}`,
      });
    }
    const controls = variants.filter((variant) => variant.control).length;
    if (controls !== 1) {
      context.addIssue({
        code: 'custom',
        path: ['variants'],
        message: `exactly one variant must have control: true, got ${controls}`,
      });
    }
    if (status === 'concluded' && winner === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['winner'],
        message: 'a concluded experiment names its winner',
      });
    }
    if (winner !== undefined && !keys.includes(winner)) {
      context.addIssue({
        code: 'custom',
        path: ['winner'],
        message: `no variant ${JSON.stringify(winner)}; there are ${keys.join(', ')}`,
      });
    }
  });

export type ExperimentDocument = z.infer<typeof experimentSchema>;
