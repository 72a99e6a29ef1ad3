import type { LooseDocument, Path, Problem } from '@turnout/contracts';
import {
  ExperimentError,
  compileExperiment,
  compileHosts,
  compilePathGlob,
  predicateProblems,
} from '@turnout/router-core';

/**
 * What is wrong with a configuration by the rules of router-core: paths, hosts and predicates
 * that match nothing, experiments that can't be compiled. Compiles all that a worker compiles, so that a
 * worker is only started with what it can use.
 */
export function configProblems({
  public: { hosts },
  routes,
  consent,
  experiments,
}: LooseDocument): Problem[] {
  return [
    ...hosts.flatMap((host, index) =>
      host === '*' ? [] : hostProblem(host, ['public', 'hosts', index]),
    ),
    ...routes.flatMap(({ path, host, when }, index) => [
      ...pathProblem(path, ['routes', index, 'path']),
      ...hostProblem(host, ['routes', index, 'host']),
      ...whenProblems(when, ['routes', index, 'when']),
    ]),
    ...consentProblems(consent),
    ...experiments.flatMap((experiment, index) =>
      experimentProblems(experiment, ['experiments', index]),
    ),
  ];
}

function experimentProblems(
  { whole, scope, audience, forced }: LooseDocument['experiments'][number],
  at: Path,
): Problem[] {
  if (whole === undefined) {
    return [
      ...scope.paths.flatMap((path, index) => pathProblem(path, [...at, 'scope', 'paths', index])),
      ...scope.hosts.flatMap((host, index) => hostProblem(host, [...at, 'scope', 'hosts', index])),
      ...whenProblems(scope.when, [...at, 'scope', 'when']),
      ...whenProblems(audience, [...at, 'audience']),
      ...forced.flatMap(({ when }, index) => whenProblems(when, [...at, 'forced', index, 'when'])),
    ];
  }
  try {
    compileExperiment(whole);
    return [];
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error;
    return error.problems.map(({ path, message }) => ({ path: [...at, ...path], message }));
  }
}

function pathProblem(glob: string | undefined, path: Path): Problem[] {
  return glob === undefined ? [] : problemOf(() => compilePathGlob(glob), path);
}

function hostProblem(host: string | undefined, path: Path): Problem[] {
  return host === undefined ? [] : problemOf(() => compileHosts([host]), path);
}

/** What a visitor agrees with is a cookie predicate, written shorter. */
function consentProblems({ value }: LooseDocument['consent']): Problem[] {
  if (value === undefined) return [];
  const problems = predicateProblems({ cookie: { name: 'consent', value } });
  return problems.map(({ path: [, ...path], message }) => ({
    path: ['consent', ...path],
    message,
  }));
}

function whenProblems(predicate: unknown, at: Path): Problem[] {
  if (predicate === undefined) return [];
  return predicateProblems(predicate).map(({ path, message }) => ({
    path: [...at, ...path],
    message,
  }));
}

function problemOf(compile: () => unknown, path: Path): Problem[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return [{ path, message: error.message }];
  }
}
