import { isDeepStrictEqual } from 'node:util';
import { compileExperiment, isInForce } from './experiment.ts';
import type { Experiment, ExperimentDefinition } from './experiment.ts';
import { byPriority } from './priority.ts';
import { looksAtVisitor } from './rules/predicate.ts';
import type { RequestTraits } from './rules/request-traits.ts';
import { NextScopeIndex } from './scope-index.ts';
import type { Scoped, ScopeIndex } from './scope-index.ts';

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
  const experiments = definitions.flatMap((definition) => {
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
  return new NextExperimentSet(previous).finish(experiments);
}

/** The experiments of one revision, compiled, but for those that are not in force. Never changes. */
export class ExperimentSet {
  /** By priority, the highest first, and among equals in the order in which they were given. */
  readonly experiments: readonly Experiment[];
  readonly index: ScopeIndex<Experiment>;
  /** Of those alone that look at the visitor to say what they are about. */
  readonly byVisitor: ScopeIndex<Experiment>;
  readonly #isAnyPicky: boolean;

  constructor(
    experiments: readonly Experiment[],
    index: ScopeIndex<Experiment>,
    byVisitor: ScopeIndex<Experiment>,
  ) {
    this.experiments = experiments;
    this.index = index;
    this.byVisitor = byVisitor;
    this.#isAnyPicky = experiments.some(({ scope }) => scope.when !== undefined);
  }

  /** Those whose scope takes the request, in the same order. */
  inScope(request: RequestTraits): readonly Experiment[] {
    const found = this.index.find(request.path, request.host);
    return this.#isAnyPicky
      ? found.filter(({ scope: { when } }) => when === undefined || when(request))
      : found;
  }

  /**
   * Whether somebody else who asks for the same page may be in a scope: for shared caches,
   * which must not keep what one of them gets for the other.
   */
  mayConcern({ path, host }: RequestTraits): boolean {
    return this.byVisitor.find(path, host).length > 0;
  }
}

/**
 * A set in the making, from another one or from nothing. What is the same in both is shared, so
 * that the next set costs what has changed; and what is new can be put in bit by bit, between
 * other work, before all of it is finished.
 */
export class NextExperimentSet {
  readonly #index: NextScopeIndex<Experiment>;
  readonly #byVisitor: NextScopeIndex<Experiment>;
  readonly #held: Set<Experiment>;

  constructor(before?: ExperimentSet) {
    this.#index = new NextScopeIndex(before?.index);
    this.#byVisitor = new NextScopeIndex(before?.byVisitor);
    this.#held = new Set(before?.experiments);
  }

  /** Puts one in ahead of `finish`, which would do it else. */
  put(experiment: Experiment): void {
    if (!isInForce(experiment.status) || this.#held.has(experiment)) return;
    const scoped = scopedAs(experiment);
    this.#held.add(experiment);
    this.#index.add(scoped);
    if (isPicky(experiment)) this.#byVisitor.add(scoped);
  }

  /** Takes one out ahead of `finish`, which would do it else. */
  drop(experiment: Experiment): void {
    if (!this.#held.delete(experiment)) return;
    const scoped = scopedAs(experiment);
    this.#index.remove(scoped);
    if (isPicky(experiment)) this.#byVisitor.remove(scoped);
  }

  /** The set of exactly these. Ends the making. */
  finish(experiments: readonly Experiment[]): ExperimentSet {
    const live = byPriority(experiments.filter(({ status }) => isInForce(status)));
    const wanted = new Set(live);
    for (const experiment of this.#held) if (!wanted.has(experiment)) this.drop(experiment);
    for (const experiment of live) this.put(experiment);
    return new ExperimentSet(live, this.#index.finish(live), this.#byVisitor.finish(live));
  }
}

function scopedAs(experiment: Experiment): Scoped<Experiment> {
  return { item: experiment, ...experiment.scope };
}

function isPicky({ definition }: Experiment): boolean {
  const { when } = definition.scope;
  return when !== undefined && looksAtVisitor(when);
}
