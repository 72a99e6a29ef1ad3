import type { PredicateDefinition } from './definition.ts';
import { Place } from './problem.ts';
import type { DefinitionProblem } from './problem.ts';
import type { RequestTraits } from './request-traits.ts';
import { readRule } from './rule.ts';
import type { Rule } from './rule.ts';
import { textTest } from './text-test.ts';

export type Predicate = (request: RequestTraits) => boolean;

/** Everything that is wrong with one predicate. */
export class PredicateError extends TypeError {
  override readonly name = 'PredicateError';
  readonly problems: readonly DefinitionProblem[];

  constructor(problems: readonly DefinitionProblem[]) {
    const told = problems.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    super(told.join('; '));
    this.problems = problems;
  }
}

/**
 * Compiles a predicate.
 *
 * @throws PredicateError with every problem found
 */
export function compilePredicate(definition: PredicateDefinition): Predicate {
  const place = new Place();
  const rule = readRule(definition, place);
  if (rule === undefined || place.problems.length > 0) throw new PredicateError(place.problems);
  return compileRule(rule);
}

/** What is wrong with what stands where a predicate should; nothing if it can be compiled. */
export function predicateProblems(definition: unknown): readonly DefinitionProblem[] {
  const place = new Place();
  readRule(definition, place);
  return place.problems;
}

/**
 * Whether one address can have two answers by a predicate: it looks at who asks, not only at
 * what is asked for.
 */
export function looksAtVisitor(definition: PredicateDefinition): boolean {
  if ('not' in definition) return looksAtVisitor(definition.not);
  if ('all' in definition) return definition.all.some(looksAtVisitor);
  if ('any' in definition) return definition.any.some(looksAtVisitor);
  return !['path', 'host', 'method', 'query'].some((asked) => asked in definition);
}

/** Compiles what has been read. */
export function compileRule(rule: Rule): Predicate {
  if (rule.kind === 'sees') return compileSees([rule]);
  if (rule.kind === 'any') return compileAny(rule.parts);
  if (rule.kind === 'all') return every(rule.parts.map((part) => compileRule(part)));
  const part = compileRule(rule.part);
  return (request) => !part(request);
}

type Sees = Extract<Rule, { readonly kind: 'sees' }>;

/** Alternatives that look at the same thing become one: a list of them is one look-up. */
function compileAny(parts: readonly Rule[]): Predicate {
  const alternatives = parts.flatMap(alternativesOf);
  const byLook = Map.groupBy(
    alternatives.filter((part) => part.kind === 'sees'),
    ({ look }) => look.name,
  );
  const others = alternatives.filter((part) => part.kind !== 'sees');
  return some([
    ...Array.from(byLook.values(), compileSees),
    ...others.map((part) => compileRule(part)),
  ]);
}

function alternativesOf(rule: Rule): readonly Rule[] {
  return rule.kind === 'any' ? rule.parts.flatMap(alternativesOf) : [rule];
}

/** @param rules of one look, at least one */
function compileSees(rules: readonly Sees[]): Predicate {
  const [first] = rules;
  if (first === undefined) return () => false;
  const { see } = first.look;
  const isMeant = textTest(rules.map(({ texts }) => texts));
  return (request) => {
    const seen = see(request);
    if (seen === undefined) return false;
    return typeof seen === 'string' ? isMeant(seen) : seen.some((text) => isMeant(text));
  };
}

function every(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (request) => predicates.every((predicate) => predicate(request));
}

function some(predicates: readonly Predicate[]): Predicate {
  const [only] = predicates;
  if (predicates.length === 1 && only !== undefined) return only;
  return (request) => predicates.some((predicate) => predicate(request));
}
