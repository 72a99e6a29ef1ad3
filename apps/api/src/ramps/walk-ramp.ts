import type { ExperimentRecord } from '@turnout/contracts/management';
import type { Logger } from 'pino';
import {
  InvalidChange,
  OvertakenChange,
  StaleRevision,
  UnknownExperiment,
} from '../experiments/change-errors.ts';
import type { Experiments } from '../experiments/experiments.ts';
import type { AuditEntry } from '../repository/audit-repository.ts';
import type { RampRepository, StoredRamp } from '../repository/ramp-repository.ts';
import { nextStep, unreadReason } from './next-step.ts';
import type { Ramp } from './ramp.ts';
import { readGates } from './read-gates.ts';
import { upToDate } from './read-edges.ts';
import type { EdgesRead } from './read-edges.ts';
import { standing } from './standing.ts';
import { NO_TRAFFIC, addReports, beginStep, withoutUnread } from './step-traffic.ts';

export interface RampWalkOptions {
  readonly experiments: Pick<Experiments, 'get' | 'change' | 'published'>;
  readonly repository: RampRepository;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** A change of coverage that a ramp makes. */
interface CoverageChange {
  /** The step that it leads to; undefined for the way back. */
  readonly step?: number;
  readonly coverage: number;
  readonly reason: string;
}

/** The longest reason that a revision of an experiment is given, in characters. */
const LONGEST_REASON = 500;
const UNPUBLISHED = 'the step can not be published, so that no edge knows of it';
const UNKNOWN = 'no edge is known yet to decide by the experiment as it stands';
/** The longest name that fits an author with what the ramp writes around it. */
const LONGEST_NAME = 57;

/**
 * Moves a ramp on by one look at its edges. Each change of it is stored only if nobody was
 * faster, so that of several processes one acts. A change of coverage and the ramp that has made
 * it are stored at once or not at all: no crash takes a step twice, and a ramp that was stopped
 * meanwhile takes none.
 */
export async function walkRamp(
  stored: StoredRamp,
  edges: EdgesRead,
  options: RampWalkOptions,
): Promise<void> {
  const { ramp } = stored;
  const save = (changed: Ramp) => saveRamp(options, stored, changed);
  const stands = standing(ramp, await find(options, ramp.experiment));
  if (stands.kind === 'taken-over') {
    await save({ ...ramp, status: 'stopped', reason: stands.reason });
    return;
  }
  const { experiment } = stands;
  const at = options.now();
  if (stands.kind === 'changed' || !isBegun(ramp)) {
    // Asked after the edges were: one that decides by this snapshot did so when it was read.
    const published = await options.experiments.published();
    const { reports, unread } = upToDate(edges, published.revision);
    const traffic = withoutUnread(addReports(ramp.traffic, ramp.experiment, reports), reports);
    const { revision } = experiment;
    const begun = stepBegun({ ...ramp, traffic, revision, snapshot: published.revision }, at);
    const why = published.publishedAt === undefined ? UNPUBLISHED : unreadReason(unread);
    await save(isBegun(begun) ? begun : { ...begun, status: 'holding', reason: why });
    return;
  }

  const { reports, unread } = upToDate(edges, ramp.snapshot);
  const traffic = addReports(ramp.traffic, ramp.experiment, reports);
  const { variants } = experiment.document;
  const read = readGates(traffic, variants, ramp.gates, ramp.sampleRatioP);
  const { reason: _, ...before } = ramp;
  const seen: Ramp = { ...before, ...read, readings: [...read.readings], traffic };
  const { steps, step, readings } = seen;
  const next = nextStep(
    { steps, step, stepSince: new Date(ramp.stepSince) },
    { readings, unread },
    at,
  );
  const change = (to: CoverageChange) =>
    changeCoverage({ version: stored.version, ramp: seen }, to, experiment, options);
  switch (next.kind) {
    case 'stay':
      await save({ ...seen, status: 'stepping' });
      return;
    case 'hold':
      await save({ ...seen, status: 'holding', reason: next.reason });
      return;
    case 'finish':
      await save({ ...seen, status: 'done', reason: next.reason });
      return;
    case 'forward': {
      const coverage = steps[next.step]?.coverage ?? ramp.coverage;
      await changeOrHold({ step: next.step, coverage, reason: next.reason });
      return;
    }
    case 'roll-back':
      await changeOrHold({ coverage: ramp.before, reason: next.reason });
  }

  /** Makes the change; unless it can't be made: then the next look tries again. */
  async function changeOrHold(to: CoverageChange): Promise<void> {
    try {
      await change(to);
    } catch (error) {
      // Somebody was faster; the next look sees what they did.
      if (error instanceof StaleRevision || error instanceof OvertakenChange) return;
      if (!(error instanceof InvalidChange)) throw error;
      const reason = `the coverage can not be changed to ${to.coverage}: ${error.message}`;
      await save({ ...seen, status: 'holding', reason });
    }
  }
}

/**
 * Changes the coverage, with the ramp that says so. The next step begins once it is published.
 *
 * @throws StaleRevision, InvalidChange, OvertakenChange
 */
export async function changeCoverage(
  { version, ramp }: StoredRamp,
  { step, coverage, reason }: CoverageChange,
  { revision: from, document }: ExperimentRecord,
  options: RampWalkOptions,
  audit?: AuditEntry,
): Promise<void> {
  const { experiments, repository, now } = options;
  const { experiment: key, startedBy, steps } = ramp;
  const isSame = document.coverage === coverage;
  const moved: Ramp = { ...ramp, coverage, revision: isSame ? from : from + 1 };
  const after: Ramp =
    step === undefined
      ? { ...moved, status: 'rolled-back', reason }
      : {
          ...notBegun({ ...moved, step }, now()),
          status: 'holding',
          reason: isBegun(ramp) ? UNPUBLISHED : UNKNOWN,
        };
  if (isSame) {
    if ((await repository.save(after, version, audit)) === undefined) throw new OvertakenChange();
  } else {
    const what =
      step === undefined ? 'ramp rolled back' : `ramp step ${step + 1} of ${steps.length}`;
    await experiments.change({
      edits: [{ kind: 'alter', key, at: [], from, alter: (before) => ({ ...before, coverage }) }],
      author: `ramp (${startedBy.slice(0, LONGEST_NAME)})`,
      reason: shortened(`${what}: ${reason}`),
      meaning: 'new-visitors',
      dryRun: false,
      isUrgent: step === undefined,
      along: repository.saving(after, version, audit),
    });
  }
  tell(options, ramp, after);
  if (step === undefined) return;
  // What edges told last is where it begins, as nothing but the coverage has changed since.
  const { publishedAt } = await experiments.published();
  if (publishedAt === undefined) return;
  const begun = stepBegun({ ...after, traffic: ramp.traffic }, now());
  if (isBegun(begun)) await saveRamp(options, { version: version + 1, ramp: after }, begun);
}

/** Whether an edge is known to decide by the step in force. */
function isBegun({ traffic }: Ramp): boolean {
  return Object.keys(traffic.edges).length > 0;
}

/** The step in force is to begin as soon as an edge decides by it. */
function notBegun(ramp: Ramp, at: Date): Ramp {
  const { firstByteBounds } = ramp.traffic;
  return stepBegun({ ...ramp, traffic: { ...NO_TRAFFIC, firstByteBounds } }, at);
}

/** The step in force begins at `at`: nothing is counted yet. */
function stepBegun(ramp: Ramp, at: Date): Ramp {
  const { reason: _, ...rest } = ramp;
  return {
    ...rest,
    status: 'stepping',
    stepSince: at.getTime(),
    traffic: beginStep(ramp.traffic),
    sampleRatioP: 1,
    readings: [],
  };
}

async function saveRamp(
  { repository, logger }: RampWalkOptions,
  { version, ramp: before }: StoredRamp,
  ramp: Ramp,
): Promise<void> {
  if ((await repository.save(ramp, version)) !== undefined) tell({ logger }, before, ramp);
}

function tell({ logger }: Pick<RampWalkOptions, 'logger'>, before: Ramp, ramp: Ramp): void {
  const { experiment, status, step, coverage, reason } = ramp;
  if (status === before.status && coverage === before.coverage) return;
  logger.info({ experiment, status, step, coverage, reason }, 'ramp');
}

async function find(
  { experiments }: RampWalkOptions,
  key: string,
): Promise<ExperimentRecord | undefined> {
  try {
    return await experiments.get(key);
  } catch (error) {
    if (error instanceof UnknownExperiment) return undefined;
    throw error;
  }
}

function shortened(reason: string): string {
  return reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON - 1)}…`;
}
