import type { Look } from './look.ts';
import { compileRule } from './predicate.ts';
import type { RequestTraits } from './request-traits.ts';
import type { Rule } from './rule.ts';

/** Rules in their order, each with what it leads to. */
export interface RuleFor<Item> {
  readonly rule: Rule;
  readonly item: Item;
}

/**
 * Finds what the first rule that holds leads to. Rules that look at the same thing for exact
 * texts, such as a header with a tester's name for each variant, are one look-up.
 */
export function compileFirstMatch<Item>(
  rules: readonly RuleFor<Item>[],
): (request: RequestTraits) => Item | undefined {
  if (rules.length === 0) return () => undefined;
  const lookUps = new Map<string, LookUp>();
  const others = rules.flatMap(({ rule }, position) => {
    if (rule.kind !== 'sees' || rule.texts.patterns.length > 0) {
      return [{ position, holds: compileRule(rule) }];
    }
    const { look } = rule;
    const lookUp = lookUps.get(look.name) ?? { see: look.see, firstOf: new Map() };
    lookUps.set(look.name, lookUp);
    for (const text of rule.texts.exact) {
      if (!lookUp.firstOf.has(text)) lookUp.firstOf.set(text, position);
    }
    return [];
  });
  const all = [...lookUps.values()];
  return (request) => {
    let first = rules.length;
    for (const lookUp of all) first = Math.min(first, firstIn(lookUp, request));
    for (const { position, holds } of others) {
      if (position > first) break;
      if (holds(request)) first = position;
    }
    return rules[first]?.item;
  };
}

interface LookUp {
  readonly see: Look['see'];
  /** For each text the position of the first rule that takes it. */
  readonly firstOf: Map<string, number>;
}

function firstIn({ see, firstOf }: LookUp, request: RequestTraits): number {
  const seen = see(request);
  if (seen === undefined) return Infinity;
  if (typeof seen === 'string') return firstOf.get(seen) ?? Infinity;
  return Math.min(...seen.map((text) => firstOf.get(text) ?? Infinity));
}
