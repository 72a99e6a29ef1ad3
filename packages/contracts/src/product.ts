import { z } from 'zod';

/**
 * The demo's product, a mobile operator's plans, as the API serves it and the
 * three frontends show it.
 */
export const planSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,32}$/),
  name: z.string(),
  tagline: z.string(),
  /** Monthly price in minor units of `currency` (1500 is €15.00). */
  price: z.int().nonnegative(),
  currency: z.literal('EUR'),
  /** Monthly data in GB; null is unlimited. */
  data: z.int().positive().nullable(),
  /** Data usable abroad, in GB. */
  roaming: z.int().nonnegative(),
  /** Top download speed in Mbit/s. */
  speed: z.int().positive(),
  /** Minimum term in months; 0 is none. */
  commitment: z.int().nonnegative(),
  highlights: z.array(z.string()),
  /** The one plan that pages point out. */
  popular: z.boolean(),
});
export type Plan = z.infer<typeof planSchema>;

/** Answer of `GET /api/plans`, cheapest first. */
export const planListSchema = z.strictObject({ plans: z.array(planSchema) });
export type PlanList = z.infer<typeof planListSchema>;

/** Body of `POST /api/sign-ups`. */
export const signUpRequestSchema = z.strictObject({
  plan: z.string('Choose a plan.').min(1, 'Choose a plan.'),
  name: z
    .string('Tell us your name.')
    .trim()
    .min(1, 'Tell us your name.')
    .max(100, 'Keep the name within 100 characters.'),
  email: z
    .email('Enter an email address such as ada@example.org.')
    .max(254, 'Keep the email address within 254 characters.'),
});
export type SignUpRequest = z.infer<typeof signUpRequestSchema>;

/** Answer (201) of `POST /api/sign-ups`. */
export const signUpSchema = z.strictObject({
  id: z.string(),
  plan: z.string(),
  name: z.string(),
  email: z.string(),
  createdAt: z.iso.datetime(),
});
export type SignUp = z.infer<typeof signUpSchema>;

/** RFC 9457 problem document; `errors` names the fields of a refused form (422). */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
