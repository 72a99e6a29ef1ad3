import { z } from 'zod';

// The limits are those of router-core, whose compiler refuses the same values in the same
// words. They are written twice because neither package may know the other; a test of the
// edge, which knows both, holds them together.

/** An experiment's key, salt or layer: it stands in cookies, Redis keys and metric labels. */
const keySchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,63}$/,
    'expected lower-case letters, digits and dashes, no dash first (at most 64)',
  );

/** A variant's key, such as `control`, `A` or `B`. */
const variantKeySchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'expected letters, digits, - and _, a letter or digit first (at most 64)',
  );

const MAX_COUNT = 999_999_999;
const COUNT = `expected an integer from 1 to ${MAX_COUNT}`;

/** A phase or a revision: nine digits stay exact in every store. */
const countSchema = z.int(COUNT).min(1, COUNT).max(MAX_COUNT, COUNT);

const WEIGHT = 'expected a percentage from 0 to 100 with at most two decimals';

/** One slot is 0.01 %, so a weight is a whole number of slots, up to the rounding of doubles. */
const weightSchema = z
  .number(WEIGHT)
  .refine(
    (weight) =>
      weight >= 0 && weight <= 100 && Math.abs(weight * 100 - Math.round(weight * 100)) <= 1e-6,
    WEIGHT,
  );

const SLOT = 'expected an integer from 0 to 10000';
const slotSchema = z.int(SLOT).min(0, SLOT).max(10_000, SLOT);

/** Texts that stand for other draws than the variant's, so that no salt can be one of them. */
const RESERVED_SALTS: ReadonlySet<string> = new Set(['layer', 'coverage']);

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

/** A host name or `*.example.com`; how it is written is for router-core to say. */
export const hostSchema = z
  .string()
  .min(1, 'expected a host name such as "example.com" or "*.example.com"');

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
    revision: countSchema.default(1),
    /** A new phase puts every visitor into a variant afresh. */
    phase: countSchema.default(1),
    /** What the hash is salted with; the key unless given. */
    salt: keySchema.exactOptional(),
    scope: z
      .strictObject({
        paths: z.array(pathPatternSchema).min(1).default(['/**']),
        hosts: z.array(hostSchema).default([]),
      })
      .prefault({}),
    audience: predicateSchema.exactOptional(),
    /** Experiments of one layer never overlap: each but a draft owns slots of it. */
    layer: z
      .strictObject({ name: keySchema, slots: z.tuple([slotSchema, slotSchema]) })
      .refine(({ slots }) => slots[0] < slots[1], {
        path: ['slots'],
        message: 'expected [from, to) with from < to',
      })
      .exactOptional(),
    /** Of 10,000: how many take part. The rest are the holdout and get control. */
    coverage: slotSchema.default(10_000),
    variants: z.array(variantSchema).min(1).max(256),
    /** The variant that all get once the experiment is concluded. */
    winner: variantKeySchema.exactOptional(),
  })
  .superRefine(({ key: experiment, salt, status, variants, winner }, context) => {
    const drawn = salt ?? experiment;
    if (RESERVED_SALTS.has(drawn)) {
      context.addIssue({
        code: 'custom',
        path: [salt === undefined ? 'key' : 'salt'],
        message: `${JSON.stringify(drawn)} names a draw of its own, choose another salt`,
      });
    }
    const keys = variants.map((variant) => variant.key);
    const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
    if (repeated !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['variants'],
        message: `variant ${JSON.stringify(repeated)} is there twice`,
      });
    }
    const sum = variants.reduce((total, variant) => total + Math.round(variant.weight * 100), 0);
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
