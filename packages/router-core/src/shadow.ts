import { isDeepStrictEqual } from 'node:util';
import { isInForce } from './experiment.ts';
import type { ExperimentDefinition } from './experiment.ts';
import { normaliseHost, normalisePath } from './path-match.ts';
import { byPriority } from './priority.ts';
import type { PredicateDefinition } from './rules/definition.ts';
import { createScopeIndex } from './scope-index.ts';
import { SLOTS } from './slots.ts';

/** An experiment that gets no visitor, or would get none, and the one before it that takes all. */
export interface Shadow {
  readonly experiment: ExperimentDefinition;
  readonly by: ExperimentDefinition;
}

/**
 * Finds experiments whose every request belongs to another one that comes first. Predicates are
 * compared as they are written down, so what is found is surely so, and some may be missed.
 *
 * @param about only what has to do with these keys; with all unless given
 * @throws TypeError for a path or host that cannot be compiled
 */
export function findShadows(
  definitions: readonly ExperimentDefinition[],
  about: (key: string) => boolean = () => true,
): Shadow[] {
  const ordered = byPriority(definitions);
  const positions = new Map(ordered.map(({ key }, position) => [key, position]));
  const position = ({ key }: ExperimentDefinition): number => positions.get(key) ?? 0;
  const byAny = createFinder(ordered);
  const byThese = createFinder(ordered.filter(({ key }) => about(key)));
  return ordered.filter(wantsVisitors).flatMap((experiment) => {
    const find = about(experiment.key) ? byAny : byThese;
    const by = find(experiment, (other) => position(other) < position(experiment));
    return by === undefined ? [] : [{ experiment, by }];
  });
}

/** Whether it is to have visitors, now or once it runs. */
function wantsVisitors({ status }: ExperimentDefinition): boolean {
  return status === 'draft' || status === 'running' || status === 'paused';
}

type Find = (
  experiment: ExperimentDefinition,
  comesFirst: (other: ExperimentDefinition) => boolean,
) => ExperimentDefinition | undefined;

/** Finds who takes all requests of an experiment. */
function createFinder(definitions: readonly ExperimentDefinition[]): Find {
  const greedy = definitions.filter(
    ({ status, layer }) => isInForce(status) && (layer === undefined || isWhole(layer.slots)),
  );
  const index = createScopeIndex(
    greedy.map((item) => ({ item, paths: item.scope.paths, hosts: item.scope.hosts ?? [] })),
  );
  return (experiment, comesFirst) => {
    const { paths, hosts = [] } = experiment.scope;
    // For any host is in another's scope only if that is for any host, too.
    const names =
      hosts.length === 0 ? ['any.invalid'] : hosts.map((name) => name.replace(/^\*\./, 'any.'));
    const found = paths
      .flatMap(samplePaths)
      .flatMap((path) =>
        names.map((host) => new Set(index.find(normalisePath(path), normaliseHost(host)))),
      );
    const [first = new Set(), ...rest] = found;
    return [...first].find(
      (other) =>
        comesFirst(other) &&
        rest.every((taken) => taken.has(other)) &&
        isNoNarrower(other.audience, experiment.audience) &&
        isNoNarrower(other.scope.when, experiment.scope.when),
    );
  };
}

function isNoNarrower(
  one: PredicateDefinition | undefined,
  other: PredicateDefinition | undefined,
): boolean {
  return one === undefined || isDeepStrictEqual(one, other);
}

function isWhole([first, end]: readonly [number, number]): boolean {
  return first === 0 && end === SLOTS;
}

/** Paths that a glob matches, of each length: what takes them all takes the glob. */
function samplePaths(glob: string): string[] {
  return ['', '/turnout-a', '/turnout-a/turnout-b/turnout-c'].map(
    (rest) => glob.replaceAll('/**', rest).replaceAll('*', 'turnout-d') || '/',
  );
}
