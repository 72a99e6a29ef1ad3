import type { Problem } from '@turnout/contracts';
import type { ExperimentRecord } from '@turnout/contracts/management';
import type { RampRequest, RampState } from '@turnout/contracts/ramp';
import { coverageToRollBackTo } from '@turnout/contracts/ramp-roll-back';
import { InvalidChange, OvertakenChange, StaleRevision } from '../experiments/change-errors.ts';
import type { StoredRamp } from '../repository/ramp-repository.ts';
import { isUnderWay } from './next-step.ts';
import { RampConflict, UnknownRamp } from './ramp-errors.ts';
import { rampState } from './ramp.ts';
import type { Ramp } from './ramp.ts';
import { upToDate } from './read-edges.ts';
import type { ReadEdges } from './read-edges.ts';
import { NO_TRAFFIC, addReports } from './step-traffic.ts';
import { changeCoverage, walkRamp } from './walk-ramp.ts';
import type { RampWalkOptions } from './walk-ramp.ts';

/** Ramps, as whoever starts, watches and stops them sees them. Rejects as the repository does. */
export interface Ramps {
  /** @throws UnknownRamp */
  get(experiment: string): Promise<RampState>;
  /**
   * Starts a ramp, with its first step in force.
   *
   * @throws UnknownExperiment, StaleRevision, InvalidChange, RampConflict
   */
  start(experiment: string, request: RampRequest, author: string): Promise<RampState>;
  /**
   * Stops a ramp; the coverage stays as it is. One that has ended stays as it is, too.
   *
   * @throws UnknownRamp, RampConflict
   */
  stop(experiment: string, author: string): Promise<RampState>;
  /** Looks at the edges, and moves all ramps on. */
  look(): Promise<void>;
}

export interface RampsOptions extends RampWalkOptions {
  readonly readEdges: ReadEdges;
}

/** Times that a stop is tried because a look was faster. */
const ATTEMPTS = 10;

export function createRamps(options: RampsOptions): Ramps {
  const { experiments, repository, readEdges, now, logger } = options;

  async function existing(experiment: string): Promise<StoredRamp> {
    const stored = await repository.find(experiment);
    if (stored === undefined) throw new UnknownRamp(experiment);
    return stored;
  }

  return {
    get: async (experiment) => rampState((await existing(experiment)).ramp),
    async start(key, request, author) {
      const experiment = await experiments.get(key);
      if (experiment.revision !== request.revision) {
        throw new StaleRevision(experiment, request.revision);
      }
      const problems = rampProblems(experiment);
      if (problems.length > 0) throw new InvalidChange(problems);
      const earlier = await repository.find(key);
      if (earlier !== undefined && isUnderWay(earlier.ramp.status)) throw inTheWay(key);

      const edges = await readEdges();
      // Asked after the edges were: what one counts under an older snapshot is left out.
      const { revision: snapshot } = await experiments.published();
      const { reports } = upToDate(edges, snapshot);
      const at = now();
      const traffic = addReports(NO_TRAFFIC, key, reports);
      const ramp = { ...toStart(experiment, request, author, at), traffic, snapshot };
      const coverage = request.steps[0]?.coverage ?? experiment.document.coverage;
      const { reason } = request;
      const audit = { at, author, action: 'ramp.start', subject: key, reason };
      const change = { step: 0, coverage, reason };
      const version = earlier?.version ?? 0;
      try {
        await changeCoverage({ version, ramp }, change, experiment, options, audit);
      } catch (error) {
        throw error instanceof OvertakenChange ? inTheWay(key) : error;
      }
      return rampState((await existing(key)).ramp);
    },
    async stop(key, author) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { version, ramp } = await existing(key);
        if (!isUnderWay(ramp.status)) return rampState(ramp);
        const stopped: Ramp = { ...ramp, status: 'stopped', reason: `stopped by ${author}` };
        const action = 'ramp.stop';
        const reason = `at step ${ramp.step + 1} of ${ramp.steps.length}`;
        const audit = { at: now(), author, action, subject: key, reason };
        if ((await repository.save(stopped, version, audit)) !== undefined) {
          return rampState(stopped);
        }
      }
      throw new RampConflict('The ramp is changing all the time. Try again.');
    },
    async look() {
      const underWay = await repository.underWay();
      if (underWay.length === 0) return;
      const edges = await readEdges();
      for (const stored of underWay) {
        try {
          await walkRamp(stored, edges, options);
        } catch (error) {
          // The others go on; this one is looked at again.
          logger.error({ err: error, experiment: stored.ramp.experiment }, 'a ramp is stuck');
        }
      }
    },
  };
}

/** Why an experiment can not be ramped. */
function rampProblems({ document: { key, status, variants } }: ExperimentRecord): Problem[] {
  const problems: Problem[] = [];
  if (status !== 'running') {
    const message = `expected a running experiment, ${JSON.stringify(key)} is ${status}`;
    problems.push({ path: [], message });
  }
  const weighted = variants.filter(({ weight }) => weight > 0);
  const others = weighted.filter(({ control }) => !control);
  if (others.length === 0 || others.length === weighted.length) {
    const message =
      'expected control and at least one other variant with a weight above 0: gates compare them';
    problems.push({ path: [], message });
  }
  return problems;
}

/** A ramp before its first step. */
function toStart(
  { key, revision, document: { coverage } }: ExperimentRecord,
  { steps, gates }: RampRequest,
  startedBy: string,
  at: Date,
): Ramp {
  return {
    experiment: key,
    startedBy,
    status: 'stepping',
    steps,
    gates,
    step: 0,
    before: coverageToRollBackTo(coverage, steps),
    stepSince: at.getTime(),
    coverage,
    revision,
    snapshot: 0,
    traffic: NO_TRAFFIC,
    sampleRatioP: 1,
    readings: [],
  };
}

function inTheWay(key: string): RampConflict {
  return new RampConflict(
    `Experiment ${JSON.stringify(key)} has a ramp under way. Stop it first (DELETE).`,
  );
}
