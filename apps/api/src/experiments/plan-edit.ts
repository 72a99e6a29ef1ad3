import { isDeepStrictEqual } from 'node:util';
import { experimentSchema, schemaProblems } from '@turnout/contracts';
import type { ExperimentDocument, Path, Problem } from '@turnout/contracts';
import type { Difference, Meaning } from '@turnout/contracts/management';
import { ExperimentError, planChange } from '@turnout/router-core';
import type { AllocationPlan } from '@turnout/router-core';
import type { LiveExperiment } from '../repository/experiment-repository.ts';
import { InvalidChange, StaleRevision, UnknownExperiment } from './change-errors.ts';
import { documentDiff } from './document-diff.ts';
import type { Edit } from './edit.ts';
import { experimentRecord } from './experiment-record.ts';

/** What an edit comes to, on top of what stands. */
export interface PlannedEdit {
  readonly action: 'create' | 'change' | 'none';
  readonly at: Path;
  readonly before: LiveExperiment | undefined;
  /** With the revision that it is to have; for `none` the one that it has. */
  readonly document: ExperimentDocument;
  readonly diff: readonly Difference[];
  readonly allocation: Pick<AllocationPlan, 'slotsMoved' | 'moves'>;
}

const NOTHING_MOVES: PlannedEdit['allocation'] = { slotsMoved: 0, moves: [] };

/**
 * Plans one edit: checks the lock, the schema, the rules from one status and phase to the
 * next, and lays out the slots. What has to do with other experiments is not looked at.
 *
 * @throws UnknownExperiment, StaleRevision, InvalidChange
 */
export function planEdit(
  edit: Edit,
  before: LiveExperiment | undefined,
  meaning: Meaning,
): PlannedEdit {
  const wanted = wantedDocument(edit, before);
  const { at } = edit;
  if (before === undefined) {
    const document = { ...laidOut(undefined, wanted, meaning, at).document, revision: 1 };
    return { action: 'create', at, before, document, diff: [], allocation: NOTHING_MOVES };
  }
  const problems = transitionProblems(before.document, wanted, meaning, at);
  if (problems.length > 0) throw new InvalidChange(problems);
  // A file with many experiments, applied in a new phase, draws only those afresh that it changes.
  const isSame = saysTheSame(before.document, wanted);
  if (isSame && (meaning !== 'new-phase' || edit.kind === 'place')) {
    const { document } = before;
    return { action: 'none', at, before, document, diff: [], allocation: NOTHING_MOVES };
  }
  const { document, allocation } = laidOut(before.document, wanted, meaning, at);
  const diff = documentDiff(before.document, document);
  return { action: 'change', at, before, document, diff, allocation };
}

function wantedDocument(edit: Edit, before: LiveExperiment | undefined): ExperimentDocument {
  if (edit.kind === 'create') {
    if (before !== undefined) throw new StaleRevision(experimentRecord(before), undefined);
    return edit.document;
  }
  if (edit.kind === 'place' && (edit.from ?? 0) === 0) {
    if (before !== undefined && edit.from === 0) {
      throw new StaleRevision(experimentRecord(before), undefined);
    }
    return edit.document;
  }
  if (before === undefined) throw new UnknownExperiment(edit.key);
  if (edit.from !== undefined && edit.from !== before.revision) {
    throw new StaleRevision(experimentRecord(before), edit.from);
  }
  if (edit.kind === 'place') return edit.document;
  const altered = edit.alter(before.document);
  const { data, error } = experimentSchema.safeParse(altered);
  if (data !== undefined) return data;
  throw new InvalidChange(placed(schemaProblems(error, altered), edit.at));
}

/** Whether both say the same, but for what follows from history: slots, moves, phase, revision. */
export function saysTheSame(before: ExperimentDocument, wanted: ExperimentDocument): boolean {
  return wanted.phase <= before.phase && isDeepStrictEqual(said(before), said(wanted));
}

function said({
  revision: _r,
  phase: _p,
  moves: _m,
  movesEnded: _e,
  variants,
  ...rest
}: ExperimentDocument) {
  return { ...rest, variants: variants.map(({ slots: _s, ...variant }) => variant) };
}

function transitionProblems(
  before: ExperimentDocument,
  after: ExperimentDocument,
  meaning: Meaning,
  at: Path,
): Problem[] {
  const problems: Problem[] = [];
  problems.push(...archiveProblems(before, after, at));
  if (after.status === 'draft' && !['draft', 'archived'].includes(before.status)) {
    problems.push({
      path: [...at, 'status'],
      message: `an experiment that is ${before.status} does not become a draft again: pause it, or kill it`,
    });
  }
  if (after.phase > before.phase && meaning !== 'new-phase') {
    problems.push({
      path: [...at, 'phase'],
      message: `phase ${after.phase} would draw every visitor afresh: expected the meaning "new-phase", got "${meaning}"`,
    });
  }
  return problems;
}

/** Only what decides nothing for anybody is put away, and it comes back as what it was. */
function archiveProblems(
  before: ExperimentDocument,
  after: ExperimentDocument,
  at: Path,
): Problem[] {
  const path = [...at, 'status'];
  if (after.status === 'archived') {
    return ['draft', 'concluded', 'archived'].includes(before.status)
      ? []
      : [
          {
            path,
            message: `an experiment that is ${before.status} can not be archived: conclude it first`,
          },
        ];
  }
  if (before.status !== 'archived') return [];
  const was = before.winner === undefined ? 'draft' : 'concluded';
  return after.status === was
    ? []
    : [
        {
          path,
          message: `an archived experiment has to be restored first: expected ${was}, which it was, got ${after.status}`,
        },
      ];
}

/** The document with its slots, moves, phase and revision. */
function laidOut(
  before: ExperimentDocument | undefined,
  wanted: ExperimentDocument,
  meaning: Meaning,
  at: Path,
): { document: ExperimentDocument; allocation: PlannedEdit['allocation'] } {
  try {
    const { definition, slotsMoved, moves } = planChange(before, wanted, meaning);
    return { document: experimentSchema.parse(definition), allocation: { slotsMoved, moves } };
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error;
    throw new InvalidChange(placed(error.problems, at));
  }
}

function placed(problems: readonly Problem[], at: Path): Problem[] {
  return problems.map(({ path, message }) => ({ path: [...at, ...path], message }));
}
