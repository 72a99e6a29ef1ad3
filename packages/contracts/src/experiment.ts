import { z } from 'zod';
import { predicateSchema } from './predicate.ts';

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
  )
  .regex(
    // Also for editors: a JSON Schema knows no exceptions but by a pattern.
    /^(?!(?:holdout|outside|draft|archived|paused|killed|concluded)$)/,
    'this word stands for visitors who have no variant, choose another key',
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

const COVERAGE = 'expected an integer from 0 to 10000, in slots of 0.01 %: 50 % is 5000';
const coverageSchema = z
  .int(COVERAGE)
  .min(0, COVERAGE)
  .max(10_000, COVERAGE)
  .describe(
    'How many of the 10,000 slots take part, 0.01 % each: 100 is 1 %, 5000 is 50 %, 10000 is everybody. The rest are the holdout and get control.',
  );

const PRIORITY = 'expected an integer from -1000 to 1000; the higher comes first';
const prioritySchema = z
  .int(PRIORITY)
  .min(-1_000, PRIORITY)
  .max(1_000, PRIORITY)
  .describe(
    'Which experiment a request belongs to that is in the scope of several: the one with the highest priority. 0 unless given; among equals the first by key, or in a file the first.',
  );

/** All that an experiment can be. */
export const STATUSES = ['draft', 'running', 'paused', 'killed', 'concluded', 'archived'] as const;

/** Half-open: `[from, to)`. */
const rangeSchema = z.tuple([slotSchema, slotSchema]);

const variantSchema = z.strictObject({
  key: variantKeySchema,
  upstream: z.string(),
  weight: weightSchema,
  control: z.boolean().default(false),
  /**
   * The slots that the variant owns; written by the API at a change of weights. Without them
   * the weights are laid end to end. All variants have them or none.
   */
  slots: z.array(rangeSchema).exactOptional(),
});

/** Whoever draws one of these slots and has `from` gets `to`: what `move-fewest` leaves behind. */
const moveSchema = z.strictObject({
  from: variantKeySchema,
  to: variantKeySchema,
  /** The revision that moved them: what it or a later one assigned stands. */
  revision: countSchema,
  slots: z.array(rangeSchema).min(1),
});

/** What the experiment is to find out, and when it is over. */
const planSchema = z.strictObject({
  kind: z.enum(['hybrid', 'open-ended', 'fixed']).default('hybrid'),
  /** The conversion that decides. */
  metric: keySchema,
  /** The smallest relative lift worth knowing: 0.1 is 10 %. */
  minimumLift: z.number().gt(0).max(10),
  /** The conversion rate of control, as far as it is known. */
  baseline: z.number().gt(0).lt(1),
});

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
    /** For people: what is asked. */
    title: z.string().min(1).max(200).exactOptional(),
    /**
     * running | paused (no new visitors) | killed (all get control, now) |
     * concluded (all get the winner) | draft (not yet) | archived (put away: as if it were not
     * there, but for its history and results).
     */
    status: z.enum(STATUSES),
    revision: countSchema.default(1),
    /** A new phase puts every visitor into a variant afresh. */
    phase: countSchema.default(1),
    /** What the hash is salted with; the key unless given. */
    salt: keySchema.exactOptional(),
    scope: z
      .strictObject({
        paths: z.array(pathPatternSchema).min(1).default(['/**']),
        hosts: z.array(hostSchema).default([]),
        when: predicateSchema.exactOptional(),
      })
      .prefault({}),
    audience: predicateSchema.exactOptional(),
    /** Requests that get a variant whoever sent them, uncounted and unassigned. First match wins. */
    forced: z
      .array(z.strictObject({ when: predicateSchema, variant: variantKeySchema }))
      .exactOptional(),
    /** Experiments of one layer never overlap: each but a draft owns slots of it. */
    layer: z
      .strictObject({ name: keySchema, slots: z.tuple([slotSchema, slotSchema]) })
      .refine(({ slots }) => slots[0] < slots[1], {
        path: ['slots'],
        message: 'expected [from, to) with from < to',
      })
      .exactOptional(),
    /** Who comes first where scopes meet: the higher. */
    priority: prioritySchema.exactOptional(),
    /** Of 10,000: how many take part. The rest are the holdout and get control. */
    coverage: coverageSchema.default(10_000),
    variants: z.array(variantSchema).min(1).max(256),
    moves: z.array(moveSchema).exactOptional(),
    /** The last revision that ended a move; memory of visitors from before it is looked up again. */
    movesEnded: countSchema.exactOptional(),
    plan: planSchema.exactOptional(),
    /** The variant that all get once the experiment is concluded. */
    winner: variantKeySchema.exactOptional(),
  })
  .superRefine(({ key: experiment, salt, status, variants, winner, forced, moves }, context) => {
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
    const checkVariant = (name: string | undefined, path: (string | number)[]): void => {
      if (name === undefined || keys.includes(name)) return;
      context.addIssue({
        code: 'custom',
        path,
        message: `no variant ${JSON.stringify(name)}; there are ${keys.join(', ')}`,
      });
    };
    checkVariant(winner, ['winner']);
    forced?.forEach(({ variant }, index) => checkVariant(variant, ['forced', index, 'variant']));
    moves?.forEach(({ from, to }, index) => {
      checkVariant(from, ['moves', index, 'from']);
      checkVariant(to, ['moves', index, 'to']);
    });
  });

export type ExperimentDocument = z.infer<typeof experimentSchema>;
