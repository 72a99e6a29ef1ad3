import {
  MAX_COUNT,
  RESERVED_VARIANT_KEYS,
  isCount,
  isExperimentKey,
  isVariantKey,
} from './keys.ts';
import { compileHosts, compilePathGlob } from './path-match.ts';
import type { PredicateDefinition } from './rules/definition.ts';
import { compileFirstMatch } from './rules/first-match.ts';
import { compileRule } from './rules/predicate.ts';
import type { Predicate } from './rules/predicate.ts';
import { Place } from './rules/problem.ts';
import type { DefinitionProblem } from './rules/problem.ts';
import type { RequestTraits } from './rules/request-traits.ts';
import { readRule } from './rules/rule.ts';
import type { Rule } from './rules/rule.ts';
import { RESERVED_SALTS, SLOTS, checkPartition, rangesFromWeights } from './slots.ts';
import type { Range } from './slots.ts';
import type { Departure } from './store.ts';

export type ExperimentStatus =
  /** Not running: requests pass as if it were not there. */
  | 'draft'
  | 'running'
  /** Who is assigned stays; nobody new is. */
  | 'paused'
  /** All get control, now. */
  | 'killed'
  /** All get the winner. */
  | 'concluded'
  /** Put away: requests pass as if it were not there. */
  | 'archived';

/** Whether an experiment decides anything for anybody. */
export function isInForce(status: ExperimentStatus): boolean {
  return status !== 'draft' && status !== 'archived';
}

export interface VariantDefinition {
  readonly key: string;
  readonly upstream: string;
  /** Percent of the visitors, at most two decimals. */
  readonly weight: number;
  /** Exactly one variant is the control. */
  readonly control?: boolean;
  /**
   * The slots of the variant, when they are not simply the weights laid end to end: after
   * a change of weights that moved as few visitors as possible. All variants have them or none.
   */
  readonly slots?: readonly Range[];
}

/**
 * Whoever draws one of these slots and has `from` gets `to`. It holds for the ledger and the
 * cookie's mirror alike, so neither has to be rewritten at once. `to` owns the slots: at any
 * later change of their owner they leave the move, or the move leads on to the new owner.
 */
export interface MoveDefinition {
  readonly from: string;
  readonly to: string;
  /**
   * The revision that moved them. An assignment that it or a later one made stands: by hand,
   * or by an edge that is ahead of another.
   */
  readonly revision: number;
  readonly slots: readonly Range[];
}

/** An experiment as it is written down. */
export interface ExperimentDefinition {
  readonly key: string;
  readonly status: ExperimentStatus;
  /** From 1. A new phase draws every visitor anew. */
  readonly phase: number;
  /** From 1. Every change of the document is a new revision. */
  readonly revision: number;
  /** What the draws are salted with. Default: the key. */
  readonly salt?: string;
  readonly scope: {
    /** Path globs, at least one. */
    readonly paths: readonly string[];
    /** Host names; none means any. */
    readonly hosts?: readonly string[];
    readonly when?: PredicateDefinition;
  };
  readonly audience?: PredicateDefinition;
  /** Requests that get a variant whoever sent them, uncounted and unassigned. First match wins. */
  readonly forced?: readonly { readonly when: PredicateDefinition; readonly variant: string }[];
  /** Who comes first where scopes meet: the higher. Default: 0. */
  readonly priority?: number;
  /** Experiments of one layer with slots that do not overlap never share a visitor. */
  readonly layer?: { readonly name: string; readonly slots: Range };
  /** 0 to 10,000: how many slots take part. The rest are the holdout. Default: all. */
  readonly coverage?: number;
  readonly variants: readonly VariantDefinition[];
  /** What changes of weights that moved visitors left behind. */
  readonly moves?: readonly MoveDefinition[];
  /**
   * The last revision in which a move ended whose slots went on to others. Where it had led a
   * visitor stands, but no move says so any more: older memory of the visitor may be wrong.
   */
  readonly movesEnded?: number;
  /** The variant that all get once the experiment is concluded. */
  readonly winner?: string;
}

export interface Variant {
  readonly key: string;
  readonly upstream: string;
  readonly control: boolean;
}

/** An experiment, compiled: nothing is parsed, looked up by name or checked per request. */
export interface Experiment {
  /** As it was written down. */
  readonly definition: ExperimentDefinition;
  readonly key: string;
  readonly status: ExperimentStatus;
  readonly phase: number;
  readonly revision: number;
  readonly salt: string;
  readonly layer: { readonly name: string; readonly slots: Range } | undefined;
  readonly coverage: number;
  /** 0 unless it was given. */
  readonly priority: number;
  readonly variants: readonly Variant[];
  readonly variantKeys: readonly string[];
  readonly control: Variant;
  /** The variant that all get when concluded; the control before. */
  readonly winner: Variant;
  /** What the experiment is about: paths and hosts, and of their requests those that `when` takes. */
  readonly scope: {
    readonly paths: readonly string[];
    readonly hosts: readonly string[];
    readonly when: Predicate | undefined;
  };
  /** Whether the request is one that the experiment is about, whoever sent it. */
  inScope(request: RequestTraits): boolean;
  /** Whether whoever sent the request may take part. */
  admits(request: RequestTraits): boolean;
  /** The variant that the request gets whoever sent it, uncounted and unassigned. */
  forcedVariant(request: RequestTraits): Variant | undefined;
  variant(key: string): Variant | undefined;
  /** @param slot 0 to 9,999 */
  variantAt(slot: number): Variant;
  /** The variants that moves lead some visitors away from. */
  readonly movedFrom: ReadonlySet<string>;
  /** What was remembered before this revision has to be looked up again; 0 if nothing has. */
  readonly movesEnded: number;
  /**
   * The variants that do not stand for a visitor who draws the slot; the slot's own stands.
   *
   * @param slot 0 to 9,999
   */
  departures(slot: number): readonly Departure[];
}

/** Everything that is wrong with one experiment. */
export class ExperimentError extends Error {
  override readonly name = 'ExperimentError';
  readonly experiment: string;
  readonly problems: readonly DefinitionProblem[];

  constructor(experiment: string, problems: readonly DefinitionProblem[]) {
    const told = problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
    super(`Experiment "${experiment}" cannot run: ${told.join('; ')}`);
    this.experiment = experiment;
    this.problems = problems;
  }
}

/** Variants of one experiment: a slot names its own in one byte. */
const MAX_VARIANTS = 256;

const KEY = 'expected lower-case letters, digits and dashes, no dash first (at most 64)';
const VARIANT = 'expected letters, digits, - and _, a letter or digit first (at most 64)';
const RESERVED = 'this word stands for visitors who have no variant, choose another key';
const COUNT = `expected an integer from 1 to ${MAX_COUNT}`;
const FILLED_RANGE = `expected [from, to) with 0 <= from < to <= ${SLOTS}`;

/**
 * Compiles an experiment.
 *
 * @throws ExperimentError with every problem found
 */
export function compileExperiment(definition: ExperimentDefinition): Experiment {
  const {
    key,
    status,
    phase,
    revision,
    salt = key,
    layer,
    coverage = SLOTS,
    priority = 0,
  } = definition;
  const problems: DefinitionProblem[] = [];
  const check = (holds: boolean, path: DefinitionProblem['path'], message: string): void => {
    if (!holds) problems.push({ path, message });
  };
  const attempt = <Value>(
    path: DefinitionProblem['path'],
    compile: () => Value,
    otherwise: Value,
  ): Value => {
    try {
      return compile();
    } catch (error) {
      problems.push({ path, message: error instanceof Error ? error.message : String(error) });
      return otherwise;
    }
  };

  const read = (path: DefinitionProblem['path'], when: PredicateDefinition): Rule | undefined =>
    readRule(when, new Place(path, problems));
  const compile = (path: DefinitionProblem['path'], when: PredicateDefinition | undefined) => {
    const rule = when && read(path, when);
    return rule && compileRule(rule);
  };

  check(isExperimentKey(key), ['key'], `${KEY}, got "${key}"`);
  check(isCount(phase), ['phase'], `${COUNT}, got ${phase}`);
  check(isCount(revision), ['revision'], `${COUNT}, got ${revision}`);
  if (definition.salt !== undefined)
    check(isExperimentKey(salt), ['salt'], `${KEY}, got "${salt}"`);
  check(
    !RESERVED_SALTS.has(salt),
    [definition.salt === undefined ? 'key' : 'salt'],
    `"${salt}" names a draw of its own, choose another salt`,
  );
  check(
    Number.isInteger(coverage) && coverage >= 0 && coverage <= SLOTS,
    ['coverage'],
    `expected an integer from 0 to ${SLOTS}, in slots of 0.01 %: 50 % is 5000, got ${coverage}`,
  );
  if (layer !== undefined) {
    const [first, end] = layer.slots;
    check(isExperimentKey(layer.name), ['layer', 'name'], `${KEY}, got "${layer.name}"`);
    check(isFilledRange(first, end), ['layer', 'slots'], `${FILLED_RANGE}, got [${first}, ${end})`);
  }
  check(
    definition.scope.paths.length > 0,
    ['scope', 'paths'],
    'expected at least one path, got none',
  );
  const inPaths = definition.scope.paths.map((glob, index) =>
    attempt(
      ['scope', 'paths', index],
      () => compilePathGlob(glob),
      () => false,
    ),
  );
  const hosts = definition.scope.hosts ?? [];
  // One by one, so that a problem says which.
  for (const [index, host] of hosts.entries()) {
    attempt(['scope', 'hosts', index], () => compileHosts([host]), undefined);
  }
  const when = compile(['scope', 'when'], definition.scope.when);
  const inAudience = compile(['audience'], definition.audience);

  const variants = definition.variants.map(
    ({ key: variantKey, upstream, control = false }, index): Variant => {
      const at = ['variants', index, 'key'];
      check(isVariantKey(variantKey), at, `${VARIANT}, got "${variantKey}"`);
      check(!RESERVED_VARIANT_KEYS.has(variantKey), at, `"${variantKey}": ${RESERVED}`);
      return { key: variantKey, upstream, control };
    },
  );
  const byKey = new Map(variants.map((variant) => [variant.key, variant]));
  const repeated = variants.find((variant) => byKey.get(variant.key) !== variant);
  check(repeated === undefined, ['variants'], `variant "${repeated?.key}" is there twice`);
  check(
    variants.length <= MAX_VARIANTS,
    ['variants'],
    `expected at most ${MAX_VARIANTS}, got ${variants.length}`,
  );
  const controls = variants.filter(({ control }) => control);
  check(
    controls.length === 1,
    ['variants'],
    `exactly one variant must have control: true, got ${controls.length}`,
  );
  const winner = definition.winner === undefined ? undefined : byKey.get(definition.winner);
  check(
    definition.winner === undefined || winner !== undefined,
    ['winner'],
    `no variant "${definition.winner}"; there are ${[...byKey.keys()].join(', ')}`,
  );
  const forced = (definition.forced ?? []).flatMap(({ when: forWhom, variant: name }, index) => {
    const rule = read(['forced', index, 'when'], forWhom);
    const variant = byKey.get(name);
    check(
      variant !== undefined,
      ['forced', index, 'variant'],
      `no variant "${name}"; there are ${[...byKey.keys()].join(', ')}`,
    );
    return rule === undefined || variant === undefined ? [] : [{ rule, item: variant }];
  });
  check(
    status !== 'concluded' || definition.winner !== undefined,
    ['winner'],
    'a concluded experiment names its winner',
  );
  const table = attempt(['variants'], () => slotTable(definition.variants), undefined);
  const { moves = [], movesEnded = 0 } = definition;
  check(
    movesEnded <= revision,
    ['movesEnded'],
    `expected a revision up to this one, ${revision}, got ${movesEnded}`,
  );
  for (const [index, move] of moves.entries()) {
    for (const name of ['from', 'to'] as const) {
      check(
        byKey.has(move[name]),
        ['moves', index, name],
        `no variant "${move[name]}"; there are ${[...byKey.keys()].join(', ')}`,
      );
    }
    check(isCount(move.revision), ['moves', index, 'revision'], `${COUNT}, got ${move.revision}`);
    check(
      move.from !== move.to,
      ['moves', index, 'to'],
      `expected another variant than "from", got "${move.to}" for both`,
    );
    for (const [at, [first, end]] of move.slots.entries()) {
      const path = ['moves', index, 'slots', at];
      const isRange = isFilledRange(first, end);
      check(isRange, path, `${FILLED_RANGE}, got [${first}, ${end})`);
      if (!isRange || table === undefined || !byKey.has(move.to)) continue;
      const stray = table.slice(first, end).findIndex((owner) => variants[owner]?.key !== move.to);
      check(stray === -1, path, `expected slots of "${move.to}", but slot ${first + stray} is not`);
    }
  }

  const [control] = controls;
  if (problems.length > 0 || control === undefined || table === undefined) {
    throw new ExperimentError(key, problems);
  }
  const onHost = compileHosts(hosts);
  return {
    definition,
    key,
    status,
    phase,
    revision,
    salt,
    layer,
    coverage,
    priority,
    variants,
    variantKeys: [...byKey.keys()],
    control,
    winner: winner ?? control,
    scope: { paths: definition.scope.paths, hosts, when },
    inScope: (request) =>
      inPaths.some((matches) => matches(request.path)) &&
      onHost(request.host) &&
      (when === undefined || when(request)),
    admits: (request) => inAudience === undefined || inAudience(request),
    forcedVariant: compileFirstMatch(forced),
    variant: (variantKey) => byKey.get(variantKey),
    variantAt: (slot) => variants[table[slot] ?? 0] ?? control,
    movedFrom: new Set(moves.map(({ from }) => from)),
    movesEnded,
    departures: (slot) =>
      moves
        .filter(({ slots }) => slots.some(([first, end]) => first <= slot && slot < end))
        .map(({ from, revision: before }) => ({ variant: from, before })),
  };
}

function isFilledRange(first: number, end: number): boolean {
  return (
    Number.isInteger(first) && Number.isInteger(end) && 0 <= first && first < end && end <= SLOTS
  );
}

/**
 * The key of each slot's variant, by its slots or by the weights laid end to end.
 *
 * @throws TypeError or RangeError for weights or slots that are none
 */
export function slotOwners(variants: readonly VariantDefinition[]): readonly string[] {
  return Array.from(slotTable(variants), (index) => variants[index]?.key ?? '');
}

/** For each slot, the index of its variant. */
function slotTable(variants: readonly VariantDefinition[]): Uint8Array {
  const fromWeights = rangesFromWeights(variants.map(({ weight }) => weight));
  const explicit = variants.filter(({ slots }) => slots !== undefined);
  if (explicit.length > 0 && explicit.length < variants.length) {
    throw new TypeError('either all variants have slots, or none');
  }
  checkPartition(
    explicit.flatMap(({ slots = [] }) => slots).concat(explicit.length > 0 ? [] : fromWeights),
  );
  const table = new Uint8Array(SLOTS);
  for (const [
    index,
    { key, weight, slots = [fromWeights[index] ?? [0, 0]] },
  ] of variants.entries()) {
    const width = slots.reduce((sum, [first, end]) => sum + end - first, 0);
    if (width !== Math.round(weight * 100)) {
      throw new RangeError(`"${key}" has a weight of ${weight} but ${width} slots`);
    }
    for (const [first, end] of slots) table.fill(index, first, end);
  }
  return table;
}
