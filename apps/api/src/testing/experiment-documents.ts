import { experimentSchema } from '@turnout/contracts';
import type { ExperimentDocument } from '@turnout/contracts';

/** A valid document: two variants, half and half, and whatever is changed of it. */
export function experimentDocument(
  changes: Readonly<Record<string, unknown>> = {},
): ExperimentDocument {
  return experimentSchema.parse({
    key: 'home',
    status: 'running',
    scope: { paths: ['/'] },
    variants: [
      { key: 'control', upstream: 'wordpress', weight: 50, control: true },
      { key: 'A', upstream: 'next', weight: 50 },
    ],
    ...changes,
  });
}
