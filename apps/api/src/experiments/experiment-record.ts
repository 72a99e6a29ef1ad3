import type { ExperimentRecord, RevisionRecord } from '@turnout/contracts/management';
import type { LiveExperiment, StoredRevision } from '../repository/experiment-repository.ts';
import { documentDiff } from './document-diff.ts';

/** An experiment as the API shows it. */
export function experimentRecord({
  key,
  revision,
  document,
  author,
  reason,
  createdAt,
  at,
}: LiveExperiment): ExperimentRecord {
  return {
    key,
    revision,
    document,
    author,
    reason,
    createdAt: createdAt.toISOString(),
    updatedAt: at.toISOString(),
  };
}

/** A revision as the API shows it, with what it changed of the one before. */
export function revisionRecord(
  { revision, document, author, reason, meaning, at }: StoredRevision,
  before: StoredRevision | undefined,
): RevisionRecord {
  return {
    revision,
    document,
    author,
    reason,
    meaning,
    at: at.toISOString(),
    diff: before === undefined ? [] : documentDiff(before.document, document),
  };
}
