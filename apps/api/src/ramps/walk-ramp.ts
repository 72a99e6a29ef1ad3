import type { ExperimentRecord } from '@turnout/contracts/management';
import type { Logger } from 'pino';
import { InvalidChange, StaleRevision, UnknownExperiment } from '../experiments/change-errors.ts';
import type { Experiments } from '../experiments/experiments.ts';
import type { RampRepository, StoredRamp } from '../repository/ramp-repository.ts';
import { nextStep } from './next-step.ts';
import type { Ramp } from './ramp.ts';
import { readGates } from './read-gates.ts';
import type { EdgesRead } from './read-edges.ts';
import { standing } from './standing.ts';
import { addReports, beginStep, withoutUnread } from './step-traffic.ts';

export interface RampWalkOptions {
  readonly experiments: Pick<Experiments, 'get' | 'change' | 'isPublished'>;
  readonly repository: RampRepository;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** The longest reason that a revision of an experiment is given, in characters. */
const LONGEST_REASON = 500;
const UNPUBLISHED = 'the step can not be published, so that no edge knows of it';
/** The longest name that fits an author with what the ramp writes around it. */
const LONGEST_NAME = 57;

/**
 * Moves a ramp on by one look at its edges. Each change of it is stored only if nobody was
 * faster, so that of several processes one acts. A change of coverage takes three steps, and
 * whoever finds it half done goes on with it:
 *
 * 1. that it is to be made is stored with the ramp (`pending`),
 * 2. it is made, from the revision that was looked at,
 * 3. the ramp is stored as having made it.
 */
export async function walkRamp(
  stored: StoredRamp,
  { reports, unread }: EdgesRead,
  options: RampWalkOptions,
): Promise<void> {
  if (stored.ramp.pending !== undefined) {
    await makePending(stored, options);
    return;
  }
  const { ramp } = stored;
  const save = (changed: Ramp) => saveRamp(options, stored, changed);
  const stands = standing(ramp, await find(options, ramp.experiment));
  if (stands.kind === 'taken-over') {
    await save({ ...ramp, status: 'stopped', reason: stands.reason });
    return;
  }
  const { revision, document } = stands.experiment;
  const traffic = addReports(ramp.traffic, ramp.experiment, reports);
  const at = options.now();
  if (stands.kind === 'changed' || ramp.isUnpublished === true) {
    const isPublished = await options.experiments.isPublished();
    const begun = { ...ramp, traffic: withoutUnread(traffic, reports) };
    await save({ ...stepBegun(begun, at, isPublished), revision });
    return;
  }

  const read = readGates(traffic, document.variants, ramp.gates, ramp.sampleRatioP);
  const { reason: _, ...before } = ramp;
  const seen: Ramp = { ...before, ...read, readings: [...read.readings], traffic };
  const { steps, step, readings } = seen;
  const next = nextStep(
    { steps, step, stepSince: new Date(ramp.stepSince) },
    { readings, unread },
    at,
  );
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
      await decide(stored, { step: next.step, coverage, reason: next.reason }, seen, options);
      return;
    }
    case 'roll-back':
      await decide(stored, { coverage: ramp.before, reason: next.reason }, seen, options);
  }
}

/** Writes down a change of coverage, and makes it. */
async function decide(
  { version }: StoredRamp,
  pending: NonNullable<Ramp['pending']>,
  seen: Ramp,
  options: RampWalkOptions,
): Promise<void> {
  const ramp = { ...seen, pending };
  const saved = await options.repository.save(ramp, version);
  if (saved !== undefined) await makePending({ version: saved, ramp }, options);
}

/** Makes the change of coverage that was decided on, unless somebody else has taken over. */
export async function makePending(stored: StoredRamp, options: RampWalkOptions): Promise<void> {
  const { ramp } = stored;
  const { pending, ...rest } = ramp;
  if (pending === undefined) return;
  const experiment = await find(options, ramp.experiment);
  let revision = experiment?.revision ?? ramp.revision;
  // That it stands already is the work of whoever wrote it down, before they ended.
  if (experiment === undefined || experiment.document.coverage !== pending.coverage) {
    const stands = standing(ramp, experiment);
    if (stands.kind === 'taken-over') {
      await saveRamp(options, stored, { ...rest, status: 'stopped', reason: stands.reason });
      return;
    }
    try {
      revision = await changeCoverage(options, ramp, pending, stands.experiment);
    } catch (error) {
      // Somebody was faster; the next look sees what they did.
      if (error instanceof StaleRevision) return;
      if (!(error instanceof InvalidChange)) throw error;
      const reason = `the coverage can not be changed to ${pending.coverage}: ${error.message}`;
      await saveRamp(options, stored, { ...ramp, status: 'holding', reason });
      return;
    }
  }
  const { step, coverage, reason } = pending;
  const done = { ...rest, coverage, revision };
  await saveRamp(
    options,
    stored,
    step === undefined
      ? { ...done, status: 'rolled-back', reason }
      : stepBegun({ ...done, step }, options.now(), await options.experiments.isPublished()),
  );
}

/** @returns the new revision */
async function changeCoverage(
  { experiments }: RampWalkOptions,
  { experiment: key, startedBy, steps }: Ramp,
  { step, coverage, reason }: NonNullable<Ramp['pending']>,
  { revision: from }: ExperimentRecord,
): Promise<number> {
  const what = step === undefined ? 'ramp rolled back' : `ramp step ${step + 1} of ${steps.length}`;
  const [change] = await experiments.change({
    edits: [{ kind: 'alter', key, at: [], from, alter: (before) => ({ ...before, coverage }) }],
    author: `ramp (${startedBy.slice(0, LONGEST_NAME)})`,
    reason: shortened(`${what}: ${reason}`),
    meaning: 'new-visitors',
    dryRun: false,
  });
  return change?.experiment.revision ?? from;
}

/**
 * The step in force begins at `at`: nothing is counted yet. As long as it is not published,
 * edges serve what was before, and what they count says nothing of it: then it begins later.
 */
function stepBegun(ramp: Ramp, at: Date, isPublished: boolean): Ramp {
  const { reason: _, isUnpublished: _before, ...rest } = ramp;
  return {
    ...rest,
    ...(isPublished
      ? { status: 'stepping' }
      : { status: 'holding', isUnpublished: true, reason: UNPUBLISHED }),
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
  const saved = await repository.save(ramp, version);
  if (saved === undefined) return;
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
