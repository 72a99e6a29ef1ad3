/**
 * The names that travel inside cookies, Redis keys and metric labels. The grammar leaves
 * out every separator used in those places, so nothing needs escaping anywhere.
 */

/** The source of the regular expression for an experiment key, salt or layer name. */
export const EXPERIMENT_KEY = '[a-z0-9][a-z0-9-]{0,63}';

/** The source of the regular expression for a variant key. */
export const VARIANT_KEY = '[A-Za-z0-9][A-Za-z0-9_-]{0,63}';

/** What is said in a variant's place of visitors who have none. */
export const RESERVED_VARIANT_KEYS: ReadonlySet<string> = new Set([
  'holdout',
  'outside',
  'draft',
  'archived',
  'paused',
  'killed',
  'concluded',
]);

/** Phases and revisions count from 1; nine digits stay exact in Lua, SQLite and JSON. */
export const MAX_COUNT = 999_999_999;

const experimentKey = new RegExp(`^${EXPERIMENT_KEY}$`);
const variantKey = new RegExp(`^${VARIANT_KEY}$`);

/** Tells whether a text can be an experiment's key: `a-z`, `0-9`, `-`, no `-` first; up to 64. */
export function isExperimentKey(text: string): boolean {
  return experimentKey.test(text);
}

/** Tells whether a text can be a variant's key: a letter or digit, then `_` and `-` too; up to 64. */
export function isVariantKey(text: string): boolean {
  return variantKey.test(text);
}

/** Tells whether a number can be a phase or a revision: an integer from 1 to 999,999,999. */
export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_COUNT;
}
