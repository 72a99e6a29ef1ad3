import type { Problem } from '@turnout/contracts';
import type {
  Change,
  ExperimentList,
  ExperimentRecord,
  History,
  Meaning,
  PublishedSnapshot,
} from '@turnout/contracts/management';
import { createTimeSlices } from '@turnout/router-core';
import type { Publisher } from '../publication/publisher.ts';
import type { AuditEntry } from '../repository/audit-repository.ts';
import type {
  ExperimentRepository,
  LiveExperiment,
  LiveExperiments,
  StoredRevision,
} from '../repository/experiment-repository.ts';
import type { Statement } from '../repository/sql-database.ts';
import {
  InvalidChange,
  OvertakenChange,
  StaleRevision,
  TooManyChanges,
  UnknownExperiment,
} from './change-errors.ts';
import { changeWarnings } from './change-warnings.ts';
import { documentProblems } from './document-problems.ts';
import type { Edit } from './edit.ts';
import { experimentRecord, revisionRecord } from './experiment-record.ts';
import { estimateMoves } from './move-estimate.ts';
import type { CountVisitors } from './move-estimate.ts';
import { planEdit } from './plan-edit.ts';
import type { PlannedEdit } from './plan-edit.ts';
import { createTurnQueue } from './turn-queue.ts';

/** Who changes experiments, and why. */
interface ChangeOrder {
  /** All are made or none, as one snapshot; no two of one experiment. */
  readonly edits: readonly Edit[];
  readonly author: string;
  readonly reason: string;
  readonly meaning: Meaning;
  /** Answer as if, and store nothing. */
  readonly dryRun: boolean;
  /** It stops something: it comes before all changes that wait, and is made however many do. */
  readonly isUrgent?: boolean;
  /** What is stored together with a new revision, all or nothing. */
  readonly along?: readonly Statement[];
}

/** The experiments, as whoever changes them sees them. Rejects as the repository does. */
export interface Experiments {
  /** @param withArchived those too that were put away */
  list(withArchived?: boolean): Promise<ExperimentList>;
  /** @throws UnknownExperiment */
  get(key: string): Promise<ExperimentRecord>;
  /**
   * Revisions, newest first: those below `before`, at most `limit`, and at least one. Large
   * documents make it fewer; the next page goes on before the last.
   *
   * @throws UnknownExperiment
   */
  history(
    key: string,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<History>;
  /** One revision of an experiment. */
  revision(key: string, revision: number): Promise<StoredRevision | undefined>;
  /**
   * Changes experiments, for anybody who may: over HTTP, or from within this process. Resolves
   * once it is durable, and published if the store can be reached.
   *
   * @throws UnknownExperiment, StaleRevision, InvalidChange, OvertakenChange, TooManyChanges
   */
  change(order: ChangeOrder): Promise<Change[]>;
  /** The snapshot that stands, and whether it is published, so that edges can know of it. */
  published(): Promise<PublishedSnapshot>;
}

export interface ExperimentsOptions {
  readonly repository: ExperimentRepository;
  /** Names that variants may refer to; undefined: any. */
  readonly upstreams: readonly string[] | undefined;
  readonly countVisitors: CountVisitors;
  readonly publisher: Pick<Publisher, 'published' | 'publish'>;
  readonly now: () => Date;
}

/** Documents of one page of a history, in bytes, unless two alone hold more. */
const HISTORY_BYTES = 2 * 1024 * 1024;
/** Changes that may wait for their turn. */
const WAITING_LIMIT = 100;
/** Times that a change is planned anew because another process was faster. */
const ATTEMPTS = 20;
const URGENT_ATTEMPTS = 1_000;
/** How long a change is planned before other work gets its turn, in ms. */
const SLICE = 10;

/** An edit, and the experiment after it. */
interface Outcome {
  readonly edit: PlannedEdit;
  readonly after: LiveExperiment;
}

type Warnings = ReturnType<typeof changeWarnings>;
/** Who stops something needs no advice on what else may be wrong. */
const NO_WARNINGS: Warnings = new Map();

interface Made {
  readonly outcomes: Outcome[];
  readonly warnings: Warnings;
  readonly snapshot: number;
}

export function createExperiments(options: ExperimentsOptions): Experiments {
  const { repository, upstreams, countVisitors, publisher, now } = options;
  // Within this process changes take turns; between processes the snapshot's number decides.
  const turns = createTurnQueue(WAITING_LIMIT, () => new TooManyChanges());

  /** By experiment: how many urgent changes had been made with the last one of it. */
  const stopped = new Map<string, number>();
  let stops = 0;

  /**
   * Makes a change, and says which snapshot it is part of.
   *
   * @param stopsBefore urgent changes that had been made when it was asked for
   */
  async function make(order: ChangeOrder, stopsBefore: number): Promise<Made> {
    const { isUrgent = false } = order;
    let tried: number | undefined;
    for (let attempt = 0; attempt < (isUrgent ? URGENT_ATTEMPTS : ATTEMPTS); attempt++) {
      const live = await repository.live();
      // What was asked for before a kill, and names no revision, would take it back unseen.
      if (!isUrgent) refuseOvertaken(order, live, (key) => (stopped.get(key) ?? 0) > stopsBefore);
      // Nobody was faster with the experiments, so it was with what goes along.
      if (live.snapshot === tried) throw new OvertakenChange();
      const outcomes = await plan(live, order, upstreams, now());
      const revisions = outcomes.filter(isNew).map(({ after }) => after);
      const warnings = isUrgent ? NO_WARNINGS : warningsOf(outcomes, live);
      if (order.dryRun || revisions.length === 0) {
        return { outcomes, warnings, snapshot: live.snapshot };
      }
      const audit = revisions.map(auditOf);
      const snapshot = await repository.commit(live.snapshot, revisions, audit, order.along);
      if (snapshot !== undefined) {
        if (isUrgent) noteStops(order);
        return { outcomes, warnings, snapshot };
      }
      tried = live.snapshot;
    }
    throw new TooManyChanges();
  }

  function noteStops({ edits }: ChangeOrder): void {
    stops++;
    for (const { key } of edits) stopped.set(key, stops);
  }

  async function existing(key: string): Promise<LiveExperiment> {
    const experiment = (await repository.live()).experiments.get(key);
    if (experiment === undefined) throw new UnknownExperiment(key);
    return experiment;
  }

  return {
    async list(withArchived = false) {
      const { snapshot, experiments } = await repository.live();
      return {
        experiments: [...experiments.values()]
          .filter(({ document }) => withArchived || document.status !== 'archived')
          .map(experimentRecord),
        published: publishedAs(snapshot, publisher.published()),
      };
    },
    get: async (key) => experimentRecord(await existing(key)),
    async history(key, { before, limit }) {
      await existing(key);
      // One more, for the difference of the last.
      const stored = await repository.history(key, {
        ...(before !== undefined && { before }),
        limit: limit + 1,
        bytes: HISTORY_BYTES,
      });
      const told = stored.filter(
        ({ revision }, index) => revision === 1 || stored[index + 1] !== undefined,
      );
      return {
        revisions: told
          .slice(0, limit)
          .map((revision, index) => revisionRecord(revision, stored[index + 1])),
      };
    },
    revision: (key, revision) => repository.revision(key, revision),
    async change(order) {
      const stopsBefore = stops;
      const { outcomes, warnings, snapshot } = await turns.run(
        () => make(order, stopsBefore),
        order.isUrgent,
      );
      if (!order.dryRun && outcomes.some(isNew)) await publisher.publish();
      const published = publishedAs(snapshot, publisher.published());
      const slice = createTimeSlices(SLICE);
      const changes: Change[] = [];
      for (const { edit, after } of outcomes) {
        changes.push({
          action: edit.action,
          dryRun: order.dryRun,
          experiment: experimentRecord(after),
          diff: edit.diff,
          preview: await estimateMoves(edit, countVisitors, now()),
          ...warned(warnings.get(after.key)),
          published,
        });
        await slice();
      }
      return changes;
    },
    async published() {
      const { snapshot } = await repository.live();
      return publishedAs(snapshot, publisher.published());
    },
  };
}

/** @throws StaleRevision for an edit without a revision of an experiment that `isOvertaken` */
function refuseOvertaken(
  { edits }: ChangeOrder,
  { experiments }: LiveExperiments,
  isOvertaken: (key: string) => boolean,
): void {
  for (const edit of edits) {
    const current = experiments.get(edit.key);
    if (edit.kind === 'create' || edit.from !== undefined || current === undefined) continue;
    if (isOvertaken(edit.key)) {
      throw new StaleRevision(experimentRecord(current), current.revision - 1);
    }
  }
}

/** What an order comes to, on top of what stands. */
async function plan(
  live: LiveExperiments,
  { edits, author, reason, meaning }: ChangeOrder,
  upstreams: readonly string[] | undefined,
  at: Date,
): Promise<Outcome[]> {
  const planned = await planAll(edits, live, meaning);
  const drafts = planned.filter(({ action }) => action !== 'none');
  const changed = new Set(drafts.map(({ document }) => document.key));
  const others = [...live.experiments.values()]
    .filter(({ key }) => !changed.has(key))
    .map(({ document }) => document);
  const problems = await documentProblems(drafts, others, upstreams);
  if (problems.length > 0) throw new InvalidChange(problems);
  return planned.map((edit) => {
    const { before, document } = edit;
    if (edit.action === 'none' && before !== undefined) return { edit, after: before };
    const { key, revision } = document;
    const createdAt = before?.createdAt ?? at;
    return { edit, after: { key, revision, document, author, reason, meaning, at, createdAt } };
  });
}

/** Plans all edits, so that the problems of all are told at once. */
async function planAll(
  edits: readonly Edit[],
  live: LiveExperiments,
  meaning: Meaning,
): Promise<PlannedEdit[]> {
  const slice = createTimeSlices(SLICE);
  const problems: Problem[] = [];
  const planned: PlannedEdit[] = [];
  for (const edit of edits) {
    try {
      planned.push(planEdit(edit, live.experiments.get(edit.key), meaning));
    } catch (error) {
      if (!(error instanceof InvalidChange)) throw error;
      problems.push(...error.problems);
    }
    await slice();
  }
  if (problems.length > 0) throw new InvalidChange(problems);
  return planned;
}

function warned(warnings: readonly string[] = []): Pick<Change, 'warnings'> {
  return warnings.length === 0 ? {} : { warnings };
}

function warningsOf(outcomes: readonly Outcome[], { experiments }: LiveExperiments): Warnings {
  const changed = outcomes
    .filter(isNew)
    .map(({ edit, after }) => ({ before: edit.before?.document, after: after.document }));
  const keys = new Set(changed.map(({ after }) => after.key));
  const others = [...experiments.values()].filter(({ key }) => !keys.has(key));
  return changeWarnings(
    changed,
    others.map(({ document }) => document),
  );
}

function isNew({ edit }: Outcome): boolean {
  return edit.action !== 'none';
}

function auditOf({ key, revision, author, reason, at }: StoredRevision): AuditEntry {
  const action = revision === 1 ? 'experiment.create' : 'experiment.change';
  return { at, author, action, subject: key, reason };
}

/** A snapshot counts as published once it is, or a later one that holds it as well. */
function publishedAs(
  snapshot: number,
  published: PublishedSnapshot | undefined,
): PublishedSnapshot {
  return published !== undefined && published.revision >= snapshot
    ? published
    : { revision: snapshot };
}
