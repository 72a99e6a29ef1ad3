/**
 * When an experiment may be called, and how much error each way of calling it may make.
 *
 * - `hybrid`: a fifth of alpha on the always-valid comparison while it runs, so that a disaster
 *   or a triumph needs no patience; the rest on one look at the planned size. Together they make
 *   no more than alpha.
 * - `open-ended`: all of alpha on the always-valid comparison; stops whenever one likes.
 * - `fixed`: all of alpha on one look at the planned size; nothing that tempts is shown before.
 */
export type PlanKind = 'hybrid' | 'open-ended' | 'fixed';

export interface Spending {
  /** For the always-valid p, at any time. 0: it decides nothing. */
  readonly running: number;
  /** For the p of the single look. 0: there is none. */
  readonly final: number;
}

export function spendingOf(kind: PlanKind, alpha: number): Spending {
  const spending: Readonly<Record<PlanKind, Spending>> = {
    hybrid: { running: alpha / 5, final: (alpha * 4) / 5 },
    'open-ended': { running: alpha, final: 0 },
    fixed: { running: 0, final: alpha },
  };
  return spending[kind];
}

/** What the plan's rules look at, adjusted for the number of comparisons. */
export interface Evidence {
  readonly running: number;
  /** Undefined until the planned size is reached, or where it can't be told. */
  readonly final: number | undefined;
}

export type Rule = 'always-valid' | 'single-look';

/** The rule that fires, the always-valid one first; undefined when none does. */
export function firedRule({ running, final }: Spending, evidence: Evidence): Rule | undefined {
  if (running > 0 && evidence.running <= running) return 'always-valid';
  if (final > 0 && evidence.final !== undefined && evidence.final <= final) return 'single-look';
  return undefined;
}
