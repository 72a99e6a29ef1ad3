import { configJsonSchema, experimentJsonSchema } from '@turnout/contracts';

/** The files in `docs/schema`, by name. */
export function schemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries({
      'turnout.schema.json': configJsonSchema(),
      'experiment.schema.json': experimentJsonSchema(),
    }).map(([name, schema]) => [name, `${JSON.stringify(schema, undefined, 2)}\n`]),
  );
}
