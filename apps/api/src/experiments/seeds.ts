import type { ExperimentDocument } from '@turnout/contracts';
import { pathName } from '@turnout/contracts';
import { InvalidChange } from './change-errors.ts';
import { placements } from './edits.ts';
import type { Experiments } from './experiments.ts';
import { saysTheSame } from './plan-edit.ts';

/** What became of the experiments of turnout.yaml. */
export interface Seeding {
  /** Keys that were not there before. */
  readonly created: readonly string[];
  /** Keys that the file describes otherwise than they stand. */
  readonly different: readonly string[];
  /** Why the new ones could not be created, in words; then none is. */
  readonly problems: readonly string[];
}

/**
 * Creates the experiments of a file that are not there, and leaves those alone that are. Of
 * two processes that start at once one creates them.
 */
export async function seedExperiments(
  experiments: Experiments,
  seeds: readonly ExperimentDocument[],
): Promise<Seeding> {
  const live = new Map(
    (await experiments.list(true)).experiments.map(({ key, document }) => [key, document]),
  );
  const unknown = seeds.filter(({ key }) => !live.has(key));
  const different = seeds.flatMap((seed) => {
    const document = live.get(seed.key);
    const isArchived = document?.status === 'archived';
    return document === undefined || isArchived || saysTheSame(document, seed) ? [] : [seed.key];
  });
  if (unknown.length === 0) return { created: [], different, problems: [] };
  try {
    const changes = await experiments.change({
      edits: placements(unknown),
      author: 'turnout.yaml',
      reason: 'seed',
      meaning: 'new-visitors',
      dryRun: false,
    });
    const created = changes.filter(({ action }) => action === 'create');
    return { created: created.map(({ experiment }) => experiment.key), different, problems: [] };
  } catch (error) {
    if (!(error instanceof InvalidChange)) throw error;
    const problems = error.problems.map(({ path, message }) => `${pathName(path)}: ${message}`);
    return { created: [], different, problems };
  }
}
