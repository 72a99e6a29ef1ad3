import { z } from 'zod';
import { experimentSchema, type ExperimentDocument } from './experiment.ts';

const text = z.string().optional().catch(undefined);
const texts = z.array(text).catch([]);
const slots = z.tuple([z.int(), z.int()]).optional().catch(undefined);

// Predicates stay as they are: router-core reads them whole, whatever is wrong with them.
const when = z.unknown().optional();

const route = z.object({ path: text, host: text, upstream: text, when }).catch({});

const experiment = z
  .object({
    key: text,
    status: text,
    scope: z.object({ paths: texts, hosts: texts, when }).catch({ paths: [], hosts: [] }),
    audience: when,
    forced: z.array(z.object({ when }).catch({})).catch([]),
    layer: z.object({ name: text, slots }).catch({}),
    variants: z.array(z.object({ upstream: text }).catch({})).catch([]),
  })
  .catch({ scope: { paths: [], hosts: [] }, forced: [], layer: {}, variants: [] });

/** An experiment in parts, and whole where its schema takes it. */
const experimentOrParts = z.unknown().transform((raw) => ({
  ...experiment.parse(raw),
  whole: experimentSchema.safeParse(raw).data,
}));

const listening = z.object({ port: z.int().optional().catch(undefined), address: text });

const looseSchema = z.object({
  public: listening.extend({ hosts: texts }).catch({ hosts: [] }),
  private: listening.catch({}),
  upstreams: z.record(z.string(), z.unknown()).catch({}),
  routes: z.array(route).catch([]),
  default: text,
  consent: z.object({ value: z.unknown().optional() }).catch({}),
  experiments: z.array(experimentOrParts).catch([]),
});

/**
 * The parts of a configuration that rules of their own look at. What is missing or has
 * another shape is empty or undefined here, and left to the strict schema; all else keeps
 * its index. So one run names every problem, whatever else is wrong.
 */
export type LooseDocument = z.infer<typeof looseSchema>;

/**
 * One experiment, as a document that holds nothing else.
 *
 * @param whole as its schema reads it; undefined where the schema refuses it
 */
export function looselyRead(raw: unknown, whole: ExperimentDocument | undefined): LooseDocument {
  return { ...readLoosely({}), experiments: [{ ...experiment.parse(raw), whole }] };
}

/** Reads the parts of a document that are there. */
export function readLoosely(raw: Readonly<Record<string, unknown>>): LooseDocument {
  return looseSchema.parse(raw);
}
