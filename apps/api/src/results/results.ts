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
import type { PhaseCounts, ResultsRepository } from '../repository/results-repository.ts';
import { exclusionsOf, experimentCounts } from './experiment-counts.ts';
import { designOf, planOf } from './look.ts';
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
  /** The document of a phase: the last one that visitors were counted under, or that stands. */
  async function documentOf(
    record: ExperimentRecord,
    phase: number,
    { slices }: PhaseCounts,
  ): Promise<ExperimentDocument> {
    if (phase === record.document.phase) return record.document;
    const last = Math.max(0, ...slices.map(({ revision }) => revision));
    const revision = last === 0 ? undefined : await experiments.revision(record.key, last);
    return revision?.document ?? record.document;
  }

  /** Weights of every revision that visitors were counted under; unknown ones have the document's. */
  async function weightsOf(
    document: ExperimentDocument,
    { slices }: PhaseCounts,
  ): Promise<WeightsAt> {
    const revisions = [...new Set(slices.map(({ revision }) => revision))];
    const documents = await Promise.all(
      revisions.map((revision) => experiments.revision(document.key, revision)),
    );
    const weights = new Map(
      documents.map((found, index) => [revisions[index], weightsIn(found?.document ?? document)]),
    );
    return (revision) => weights.get(revision) ?? weightsIn(document);
  }

  /** Looks at one population, and keeps what the look has seen. */
  async function lookAt(counted: Counted, population: Population): Promise<Looked> {
    const { experiment, phase, metric } = counted.counts;
    const key = { experiment, phase, metric, population };
    for (;;) {
      const stored = await repository.findLook(key);
      const { analysis, look } = analysisOf(counted, population, stored?.look, now());
      const isNews = !isDeepStrictEqual(look, stored?.look);
      // Nothing begins before somebody is counted.
      if (!isNews || analysis.visitors === 0) return { analysis, design: look.design };
      if (await repository.saveLook(key, look, stored?.version ?? 0)) {
        return { analysis, design: look.design };
      }
    }
  }

  async function countPhase(
    record: ExperimentRecord,
    phase: number,
    metric: string,
  ): Promise<Counted> {
    const { key: experiment } = record;
    const phaseCounts = await repository.counts(experiment, phase, metric);
    const document = await documentOf(record, phase, phaseCounts);
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

  return {
    async of(key, { phase: wanted, metric: named, anyway = false }) {
      const record = await experiments.get(key);
      const phase = wanted ?? record.document.phase;
      if (phase > record.document.phase) throw new UnknownPhase(key, phase, record.document.phase);
      const metrics = await repository.metrics(key, phase);
      const metric = named ?? metricOf(record.document, metrics);
      const all = await countPhase(record, phase, metric);
      const raw = await lookAt(all, 'raw');
      const confirmed = await lookAt(all, 'confirmed');
      const { counts, document } = all;
      const analyses = {
        raw: shown(raw.analysis, anyway),
        confirmed: shown(confirmed.analysis, anyway),
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
      for (const record of records) {
        const { document } = record;
        if (document.status !== 'running') continue;
        const metrics = await repository.metrics(document.key, document.phase);
        for (const metric of new Set([
          ...metrics,
          ...(document.plan ? [document.plan.metric] : []),
        ])) {
          const all = await countPhase(record, document.phase, metric);
          for (const population of POPULATIONS) await lookAt(all, population);
        }
      }
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
  before: Look | undefined,
  at: Date,
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
    control: document.variants.find(({ control }) => control)?.key,
    kappa: design.kappa,
    arms: last?.arms ?? [],
    earlier: segments.slice(0, -1),
    plan: planOf(design, atPlannedSize),
    previous: before?.carry,
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

/** With a broken split, comparisons and verdict are for those who ask to see them all the same. */
function shown(analysis: Analysis, anyway: boolean): PopulationAnalysis {
  const { verdict, carry } = analysis;
  if (verdict.kind !== 'withheld' || anyway) return analysis;
  return {
    ...analysis,
    comparisons: [],
    carry: { ...carry, comparisons: [] },
    verdict: { kind: verdict.kind, reason: verdict.reason },
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
