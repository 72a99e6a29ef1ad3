import { RE2JS } from 're2js';
import { compileWildcard } from '../path-match.ts';

/** Tells whether a text is one that is meant. */
export type TextTest = (text: string) => boolean;

/**
 * The texts that a predicate takes, in two parts, so that those of many predicates can be put
 * together: what is looked up, and what has to be tried.
 */
export interface TextSet {
  readonly exact: readonly string[];
  readonly patterns: readonly TextTest[];
}

export const ANY_TEXT: TextSet = { exact: [], patterns: [() => true] };

/** Texts with `*` for any characters, none included. */
export function wildcardTexts(glob: string): TextSet {
  return glob.includes('*')
    ? { exact: [], patterns: [compileWildcard(glob)] }
    : { exact: [glob], patterns: [] };
}

/**
 * Texts in which a regular expression matches somewhere; `^` and `$` hold it to the ends.
 * RE2 takes time in proportion to the text, whatever the expression.
 *
 * @throws TypeError for what is no RE2 syntax
 */
export function regexTexts(regex: string): TextSet {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(regex);
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    const why = told.replace(/^error parsing regexp: /, '');
    throw new TypeError(
      `expected a regular expression in RE2 syntax, got ${JSON.stringify(regex)}: ${why}`,
      { cause: error },
    );
  }
  return { exact: [], patterns: [(text) => compiled.test(text)] };
}

/** All texts of several sets, in one test: one look-up for all that are exact. */
export function textTest(sets: readonly TextSet[]): TextTest {
  const exact = new Set(sets.flatMap((set) => set.exact));
  const patterns = sets.flatMap((set) => set.patterns);
  const [only] = exact;
  const [pattern] = patterns;
  if (patterns.length === 0 && exact.size === 1) return (text) => text === only;
  if (patterns.length === 0) return (text) => exact.has(text);
  if (exact.size === 0 && patterns.length === 1 && pattern !== undefined) return pattern;
  return (text) => exact.has(text) || patterns.some((matches) => matches(text));
}
