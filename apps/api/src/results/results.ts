import { isDeepStrictEqual } from 'node:util';
import type { ExperimentDocument } from '@turnout/contracts';
import type { ExperimentRecord } from '@turnout/contracts/management';
import { POPULATIONS } from '@turnout/contracts/results';
import type {
  ExperimentCounts,
  ExperimentResults,
  Population,
  PopulationAnalysis,
} from '@turnout/contracts/results';
import { analyze } from '@turnout/stats';
import type { Analysis } from '@turnout/stats';
import type { Experiments } from '../experiments/experiments.ts';
import { RepositoryUnavailable } from '../repository/product-repository.ts';
import type {
  PhaseCounts,
  ResultsRepository,
  StoredLook,
} from '../repository/results-repository.ts';
import { exclusionsOf, experimentCounts } from './experiment-counts.ts';
import { controlOf, designOf, planOf } from './look.ts';
import type { Design, Look } from './look.ts';
import { NoMetric, UnknownPhase } from './results-errors.ts';
import { fallbacksOf, segmentsOf, splitSlices, stagesOf } from './segments.ts';
import type { WeightsAt } from './segments.ts';
import { visitorsPerDay } from './traffic.ts';
import { warningsOf } from './warnings.ts';
import { trustOf, verdictSentence } from './words.ts';

interface ResultsRequest {
  /** The present one unless given. */
  readonly phase?: number | undefined;
  /** The plan's, or the only one that was reported for, unless given. */
  readonly metric?: string | undefined;
  /** To see comparisons and verdict of a broken split all the same. */
  readonly anyway?: boolean;
}

export interface Results {
  /**
   * @throws UnknownExperiment, UnknownPhase
   * @throws NoMetric when it has to be named
   */
  of(key: string, request: ResultsRequest): Promise<ExperimentResults>;
  /** Looks at every experiment that runs, so that what looks carry on does not wait for a reader. */
  look(): Promise<void>;
}

export interface ResultsOptions {
  readonly experiments: Pick<Experiments, 'get' | 'list' | 'revision'>;
  readonly repository: ResultsRepository;
  readonly now: () => Date;
}

export function createResults({ experiments, repository, now }: ResultsOptions): Results {
  /**
   * The document of a phase: the last of its revisions. Phases only rise, so that it is found by
   * halving.
   *
   * @throws UnknownPhase
   */
  async function documentOf(record: ExperimentRecord, phase: number): Promise<ExperimentDocument> {
    const { key, document: present } = record;
    if (phase === present.phase) return present;
    let found: ExperimentDocument | undefined;
    let [from, to] = [1, present.revision];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const document = (await experiments.revision(key, middle))?.document;
      if (document !== undefined && document.phase > phase) {
        to = middle;
      } else {
        found = document;
        from = middle + 1;
      }
    }
    if (found?.phase !== phase) throw new UnknownPhase(key, phase, present.phase);
    return found;
  }

  /** What is known of revisions, which never change, by key and number. */
  const known = new Map<string, Map<string, number>>();

  async function weightsAtRevision(
    document: ExperimentDocument,
    revision: number,
  ): Promise<Map<string, number>> {
    const name = `${document.key} ${revision}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = await experiments.revision(document.key, revision);
    // One that is not there may come yet.
    if (found === undefined) return weightsIn(document);
    const weights = weightsIn(found.document);
    known.set(name, weights);
    return weights;
  }

  /** Weights of every revision that visitors were counted under; unknown ones have the document's. */
  async function weightsOf(
    document: ExperimentDocument,
    { slices }: PhaseCounts,
  ): Promise<WeightsAt> {
    const revisions = [...new Set(slices.map(({ revision }) => revision))];
    const weights = new Map<number, Map<string, number>>();
    for (const revision of revisions) {
      weights.set(revision, await weightsAtRevision(document, revision));
    }
    return (revision) => weights.get(revision) ?? weightsIn(document);
  }

  /** Looks at one population, and keeps what the look has seen. */
  async function lookAt(counted: Counted, population: Population): Promise<Looked> {
    const { experiment, phase, metric } = counted.counts;
    const key = { experiment, phase, metric, population };
    for (;;) {
      const looks = await repository.findLooks(key);
      const stored = looks.get(metric);
      const { analysis, look } = analysisOf(counted, population, {
        look: stored?.look,
        sampleRatioP: smallestOf(looks),
        at: now(),
      });
      const isNews = !isDeepStrictEqual(look, stored?.look);
      const looked = { analysis, design: look.design };
      if (!isNews || !isBegun(counted, look.design)) return looked;
      if (await repository.saveLook(key, look, stored?.version ?? 0)) return looked;
    }
  }

  async function countPhase(document: ExperimentDocument, metric: string): Promise<Counted> {
    const { key: experiment, phase } = document;
    const phaseCounts = await repository.counts(experiment, phase, metric);
    const weightsAt = await weightsOf(document, phaseCounts);
    const variants = [
      ...new Set([
        ...document.variants.map(({ key }) => key),
        ...phaseCounts.slices.map(({ variant }) => variant),
      ]),
    ];
    return {
      document,
      phaseCounts,
      weightsAt,
      counts: experimentCounts({ experiment, phase, metric }, phaseCounts, variants),
    };
  }

  /** At every metric that something was reported for, and at the plan's. */
  async function lookAtAll(document: ExperimentDocument): Promise<void> {
    const metrics = new Set(await repository.metrics(document.key, document.phase));
    if (document.plan !== undefined) metrics.add(document.plan.metric);
    for (const metric of metrics) {
      const all = await countPhase(document, metric);
      for (const population of POPULATIONS) await lookAt(all, population);
    }
  }

  return {
    async of(key, { phase: wanted, metric: named, anyway = false }) {
      const record = await experiments.get(key);
      const phase = wanted ?? record.document.phase;
      if (phase > record.document.phase) throw new UnknownPhase(key, phase, record.document.phase);
      const metrics = await repository.metrics(key, phase);
      const document = await documentOf(record, phase);
      const metric = named ?? metricOf(document, metrics);
      const all = await countPhase(document, metric);
      const raw = await lookAt(all, 'raw');
      const confirmed = await lookAt(all, 'confirmed');
      const { counts } = all;
      // The confirmed are some of all: where these can not be compared, they can not either.
      const isBroken = raw.analysis.sampleRatio.isBroken;
      const analyses = {
        raw: anyway ? raw.analysis : shown(raw.analysis, isBroken),
        confirmed: anyway ? confirmed.analysis : shown(confirmed.analysis, isBroken),
      };
      return {
        experiment: key,
        ...(record.document.title !== undefined && { title: record.document.title }),
        status: record.document.status,
        phase,
        metric,
        metrics,
        at: now().toISOString(),
        trust: trustOf(raw.analysis),
        verdict: verdictSentence(analyses.raw),
        warnings: warningsOf({ analysis: raw.analysis, counts, design: raw.design, document }),
        excluded: exclusionsOf(counts),
        counts,
        analyses,
      };
    },
    async look() {
      const { experiments: records } = await experiments.list();
      const failures: unknown[] = [];
      for (const { document } of records) {
        if (document.status !== 'running') continue;
        try {
          await lookAtAll(document);
        } catch (error) {
          if (error instanceof RepositoryUnavailable) throw error;
          // One that can not be looked at holds up no other.
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'Some have no results.');
    },
  };
}

/** All that an analysis is made from. */
interface Counted {
  readonly document: ExperimentDocument;
  readonly phaseCounts: PhaseCounts;
  readonly weightsAt: WeightsAt;
  readonly counts: ExperimentCounts;
}

interface Looked {
  readonly analysis: Analysis;
  readonly design: Design;
}

/** One look: what it sees, and what it leaves to the next. */
function analysisOf(
  { document, phaseCounts, weightsAt, counts }: Counted,
  population: Population,
  {
    look: before,
    sampleRatioP,
    at,
  }: {
    readonly look: Look | undefined;
    /** The smallest of all looks before, at whatever metric: they are the same visitors. */
    readonly sampleRatioP: number | null;
    readonly at: Date;
  },
): { readonly analysis: Analysis; readonly look: Look } {
  const { slices } = phaseCounts;
  const design = before?.design ?? designOf(document, counts.metric);
  const segments = segmentsOf(slices, weightsAt, document.revision, population);
  const last = segments.at(-1);
  const visitors = segments.flatMap(({ arms }) => arms).reduce((sum, arm) => sum + arm.visitors, 0);
  const isReached = design.plannedVisitors !== undefined && visitors >= design.plannedVisitors;
  const atPlannedSize = before?.atPlannedSize ?? (isReached ? segments : undefined);
  const { plan } = design;
  const analysis = analyze({
    control: design.control ?? controlOf(document),
    kappa: design.kappa,
    arms: last?.arms ?? [],
    earlier: segments.slice(0, -1),
    plan: planOf(design, atPlannedSize),
    previous: { sampleRatioP, comparisons: before?.carry.comparisons ?? [] },
    power: {
      ...(plan && { minimumLift: plan.minimumLift, baseline: plan.baseline }),
      visitorsPerDay: visitorsPerDay(counts, at),
    },
    ...(population === 'raw' && {
      stages: stagesOf(slices),
      slices: splitSlices(slices, weightsAt),
      fallbacks: fallbacksOf(slices),
    }),
  });
  const { carry } = analysis;
  return { analysis, look: { design, carry, ...(atPlannedSize && { atPlannedSize }) } };
}

/** Nothing begins before somebody is counted, nor for a metric that nothing was reported for. */
function isBegun({ counts: { variants } }: Counted, { plan }: Design): boolean {
  return variants.some(
    ({ exposed, reported }) => reported > 0 || (exposed > 0 && plan !== undefined),
  );
}

function smallestOf(looks: ReadonlyMap<string, StoredLook>): number | null {
  const seen = [...looks.values()].flatMap(({ look }) => look.carry.sampleRatioP ?? []);
  return seen.length === 0 ? null : Math.min(...seen);
}

/** With a broken split, whatever compares variants is for those who ask to see it all the same. */
function shown(analysis: Analysis, isBroken: boolean): PopulationAnalysis {
  const { verdict, carry, arms } = analysis;
  if (!isBroken && verdict.kind !== 'withheld') return analysis;
  return {
    ...analysis,
    arms: arms.map((arm) => ({ ...arm, posterior: { kind: 'unknown', reason: 'split-broken' } })),
    comparisons: [],
    carry: { ...carry, comparisons: [] },
    verdict: { kind: 'withheld', reason: 'sample-ratio' },
  };
}

function metricOf({ key, plan }: ExperimentDocument, metrics: readonly string[]): string {
  const [only, ...others] = metrics;
  const metric = plan?.metric ?? (others.length === 0 ? only : undefined);
  if (metric === undefined) throw new NoMetric(key, metrics);
  return metric;
}

function weightsIn({ variants }: ExperimentDocument): Map<string, number> {
  return new Map(variants.map(({ key, weight }) => [key, weight]));
}
