import { z } from 'zod';
import { configSchema } from './config.ts';
import { experimentSchema } from './experiment.ts';

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** For editors: what `turnout.yaml` may hold, as people write it. */
export function configJsonSchema(): JsonSchema {
  return described(configSchema, 'Turnout configuration');
}

/** For editors: what an experiment's document may hold. */
export function experimentJsonSchema(): JsonSchema {
  return described(experimentSchema, 'Turnout experiment');
}

function described(schema: z.ZodType, title: string): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { $schema, title, ...rest };
}
