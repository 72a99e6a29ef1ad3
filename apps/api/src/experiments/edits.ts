import { repeatedExperiments } from '@turnout/contracts';
import type { ExperimentDocument } from '@turnout/contracts';
import type {
  allocationSchema,
  revertSchema,
  statusChangeSchema,
} from '@turnout/contracts/management';
import type { z } from 'zod';
import { InvalidChange } from './change-errors.ts';
import type { Alteration, Edit } from './edit.ts';

/** Other weights, for all variants. */
export function allocationEdit(
  key: string,
  { weights, revision }: z.output<typeof allocationSchema>,
): Alteration {
  return {
    kind: 'alter',
    key,
    at: [],
    from: revision,
    alter(before) {
      const keys = before.variants.map((variant) => variant.key);
      const unknown = Object.keys(weights).filter((name) => !keys.includes(name));
      const missing = keys.filter((name) => !Object.hasOwn(weights, name));
      const problems = [
        ...unknown.map((name) => ({
          path: ['weights', name],
          message: `no variant ${JSON.stringify(name)}; there are ${keys.join(', ')}`,
        })),
        ...missing.map((name) => ({
          path: ['weights', name],
          message: `missing (expected the weight of every variant, in percent)`,
        })),
      ];
      if (problems.length > 0) throw new InvalidChange(problems);
      const variants = before.variants.map((variant) => ({
        ...variant,
        weight: weights[variant.key] ?? variant.weight,
      }));
      return { ...before, variants };
    },
  };
}

/** Another status. A kill is not held up by a revision that has moved on. */
export function statusEdit(
  key: string,
  { status, winner, revision }: z.output<typeof statusChangeSchema>,
): Alteration {
  return {
    kind: 'alter',
    key,
    at: [],
    from: status === 'killed' ? undefined : revision,
    alter({ winner: earlier, ...before }) {
      if (status !== 'concluded' && winner !== undefined) {
        const message = `expected none with the status ${status}: only a concluded experiment has one`;
        throw new InvalidChange([{ path: ['winner'], message }]);
      }
      const keepsWinner = before.status === 'concluded' || before.status === 'archived';
      const crowned =
        status === 'concluded' || (status === 'archived' && keepsWinner)
          ? (winner ?? earlier)
          : undefined;
      return { ...before, status, ...(crowned !== undefined && { winner: crowned }) };
    },
  };
}

/** Back to an earlier document. */
export function revertEdit(
  key: string,
  { revision }: z.output<typeof revertSchema>,
  earlier: ExperimentDocument,
): Alteration {
  return { kind: 'alter', key, at: [], from: revision, alter: () => earlier };
}

/**
 * The documents of a file.
 *
 * @throws InvalidChange for one that is there twice
 */
export function placements(
  documents: readonly ExperimentDocument[],
  revisions: Readonly<Record<string, number>> = {},
): Edit[] {
  const problems = repeatedExperiments({ experiments: documents });
  if (problems.length > 0) throw new InvalidChange(problems);
  return documents.map((document, index) => ({
    kind: 'place',
    key: document.key,
    at: ['experiments', index],
    document,
    from: Object.hasOwn(revisions, document.key) ? revisions[document.key] : undefined,
  }));
}
