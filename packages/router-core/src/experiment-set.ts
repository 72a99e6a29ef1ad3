import { isDeepStrictEqual } from 'node:util';
import { compileExperiment, isInForce } from './experiment.ts';
import type { Experiment, ExperimentDefinition } from './experiment.ts';
import { byPriority } from './priority.ts';
import { looksAtVisitor } from './rules/predicate.ts';
import type { RequestTraits } from './rules/request-traits.ts';
import { createScopeIndex } from './scope-index.ts';

/** The experiments of one revision, compiled. Those that are not in force are checked, and left out. */
export interface ExperimentSet {
  /** By priority, the highest first, and among equals in the order in which they were given. */
  readonly experiments: readonly Experiment[];
  /** Those whose scope takes the request, in the same order. */
  inScope(request: RequestTraits): readonly Experiment[];
  /**
   * Whether somebody else who asks for the same page may be in a scope: for shared caches,
   * which must not keep what one of them gets for the other.
   */
  mayConcern(request: RequestTraits): boolean;
}

/**
 * Compiles experiments into a set. Those that are in the previous one as they are now are taken
 * from there: a change of one among a thousand does not compile a thousand.
 *
 * @throws AggregateError with an ExperimentError for each that cannot run
 */
export function compileExperiments(
  definitions: readonly ExperimentDefinition[],
  previous?: ExperimentSet,
): ExperimentSet {
  const known = new Map(previous?.experiments.map((experiment) => [experiment.key, experiment]));
  const errors: unknown[] = [];
  const experiments = byPriority(definitions).flatMap((definition) => {
    const before = known.get(definition.key);
    if (before !== undefined && isDeepStrictEqual(before.definition, definition)) return [before];
    try {
      return [compileExperiment(definition)];
    } catch (error) {
      errors.push(error);
      return [];
    }
  });
  if (errors.length > 0) {
    throw new AggregateError(errors, errors.map((error) => String(error)).join('\n'));
  }
  const live = experiments.filter(({ status }) => isInForce(status));
  const index = createScopeIndex(
    live.map((experiment) => ({ item: experiment, ...experiment.scope })),
  );
  const isAnyPicky = live.some(({ scope }) => scope.when !== undefined);
  const byVisitor = createScopeIndex(
    live.flatMap(
      ({
        scope,
        definition: {
          scope: { when },
        },
      }) => (when !== undefined && looksAtVisitor(when) ? [{ item: true, ...scope }] : []),
    ),
  );
  return {
    experiments: live,
    inScope: (request) => {
      const found = index.find(request.path, request.host);
      return isAnyPicky
        ? found.filter(({ scope: { when } }) => when === undefined || when(request))
        : found;
    },
    mayConcern: ({ path, host }) => byVisitor.find(path, host).length > 0,
  };
}
