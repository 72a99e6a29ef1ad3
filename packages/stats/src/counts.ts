import type { PlanKind } from './plan.ts';
import type { Slice, Stage, Visitors } from './split.ts';

/** One group of visitors, control or variant, as it was counted. */
export interface ArmCounts {
  readonly key: string;
  /** Its share of the visitors; only the ratios matter. 0: it took nobody. */
  readonly weight: number;
  readonly visitors: number;
  /** Visitors who converted: each once, so never more than `visitors`. */
  readonly conversions: number;
}

/**
 * A stretch of time with one set of weights. A visitor belongs to the segment of their first
 * exposure, and so does their conversion, whenever it comes.
 */
export interface Segment {
  readonly arms: readonly ArmCounts[];
}

/** What is known before the first visitor; fixed then, and not changed by what is seen. */
interface PlanCounts {
  readonly kind: PlanKind;
  /** Visitors of all arms together, at which the single look is taken. */
  readonly plannedVisitors?: number | undefined;
  /**
   * The segments as they stood when the planned size was reached, oldest first. Without them the
   * single look is taken on the counts as they are now, which may be later.
   */
  readonly atPlannedSize?: readonly Segment[] | undefined;
}

/** For how many visitors are needed. */
export interface PowerQuestion {
  /** The smallest relative lift worth finding, such as 0.1. */
  readonly minimumLift?: number | undefined;
  /** Control's rate, where it is known from before; else the one that was counted. */
  readonly baseline?: number | undefined;
  /** 0.8 unless told otherwise. */
  readonly power?: number | undefined;
  /** Of all arms together, at present. */
  readonly visitorsPerDay?: number | undefined;
}

/** What has to be kept from one look to the next: `carry` of an analysis. */
export interface Carry {
  /** Of the split: a split that was broken once stays broken. null: it was never tested. */
  readonly sampleRatioP: number | null;
  readonly comparisons: readonly {
    readonly key: string;
    readonly p: number;
    readonly low: number;
    readonly high: number | null;
  }[];
}

/** Everything that an analysis is made from. */
export interface Counts {
  /** Key of the arm that the others are compared with; the first arm unless told otherwise. */
  readonly control?: string | undefined;
  /** How much error may be made in all; 0.05 unless told otherwise. */
  readonly alpha?: number | undefined;
  /** How many conversions the prior weighs; fixed at the start. */
  readonly kappa?: number | undefined;
  /** Of control and a variant, by the end: kappa is an eighth of it where it is not given. */
  readonly expectedConversions?: number | undefined;
  /** Since the weights last changed, or since the start. */
  readonly arms: readonly ArmCounts[];
  /** Segments with other weights, before that; oldest first. */
  readonly earlier?: readonly Segment[] | undefined;
  /** Hybrid where a planned size is given; else open-ended. */
  readonly plan?: PlanCounts | undefined;
  /** `carry` of the analysis before this one, of the same experiment and phase. */
  readonly previous?: Carry | undefined;
  readonly power?: PowerQuestion | undefined;
  /** In the order in which a visitor passes them: assigned, served, confirmed, reported. */
  readonly stages?: readonly Stage[] | undefined;
  /** By dimension: day, bot class, edge node, revision. */
  readonly slices?: Readonly<Record<string, readonly Slice[]>> | undefined;
  /** Visitors who were served by another upstream than their arm's own, by arm. */
  readonly fallbacks?: Visitors | undefined;
}

/**
 * Checks what types can't.
 *
 * @returns a sentence for each problem; none when all is well
 */
export function problemsOf(counts: Counts): string[] {
  const problems: string[] = [];
  const expect = (isFine: boolean, expected: string, got: unknown): void => {
    if (!isFine) problems.push(`expected ${expected}, got ${String(got)}`);
  };
  const { alpha = 0.05, kappa = 1, expectedConversions = 1, plan, power = {}, previous } = counts;
  expect(alpha > 0 && alpha < 1, 'alpha between 0 and 1', alpha);
  expect(isPositive(kappa), 'kappa above 0', kappa);
  expect(isPositive(expectedConversions), 'expectedConversions above 0', expectedConversions);
  const { minimumLift = 1, baseline = 0.5, visitorsPerDay = 0, power: wanted = 0.8 } = power;
  expect(
    minimumLift > -1 && minimumLift !== 0 && Number.isFinite(minimumLift),
    'power.minimumLift above -1 and not 0',
    minimumLift,
  );
  expect(baseline > 0 && baseline < 1, 'power.baseline between 0 and 1', baseline);
  expect(wanted > 0 && wanted < 1, 'power.power between 0 and 1', wanted);
  expect(
    visitorsPerDay >= 0 && Number.isFinite(visitorsPerDay),
    'power.visitorsPerDay from 0',
    visitorsPerDay,
  );
  expect(
    isPositive(plan?.plannedVisitors ?? 1),
    'plan.plannedVisitors above 0',
    plan?.plannedVisitors,
  );
  if (plan !== undefined && plan.kind !== 'open-ended' && plan.plannedVisitors === undefined) {
    problems.push(`a ${plan.kind} plan needs plannedVisitors, at which its single look is taken`);
  }
  for (const [key, value] of Object.entries({ ...carried(previous) })) {
    expect(value >= 0 && value <= 1, `${key} from 0 to 1`, value);
  }
  problems.push(
    ...armProblems('arms', counts.arms),
    ...(counts.earlier ?? []).flatMap(({ arms }, at) => armProblems(`earlier[${at}].arms`, arms)),
    ...(plan?.atPlannedSize ?? []).flatMap(({ arms }, at) =>
      armProblems(`plan.atPlannedSize[${at}].arms`, arms),
    ),
    ...groupProblems(counts),
  );
  return problems;
}

function carried(previous: Carry | undefined): Record<string, number> {
  if (previous === undefined) return {};
  return {
    'previous.sampleRatioP': previous.sampleRatioP ?? 1,
    ...Object.fromEntries(previous.comparisons.map(({ key, p }) => [`previous p of ${key}`, p])),
  };
}

function armProblems(where: string, arms: readonly ArmCounts[]): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { key, weight, visitors, conversions } of arms) {
    if (seen.has(key)) problems.push(`${where}: expected each key once, got ${key} twice`);
    seen.add(key);
    if (!(weight >= 0 && Number.isFinite(weight))) {
      problems.push(`${where}: expected a weight from 0 for ${key}, got ${weight}`);
    }
    if (!isCount(visitors)) {
      problems.push(
        `${where}: expected visitors of ${key} as a whole number from 0, got ${visitors}`,
      );
    }
    if (!isCount(conversions)) {
      problems.push(
        `${where}: expected conversions of ${key} as a whole number from 0, got ${conversions}`,
      );
    }
    if (conversions > visitors) {
      problems.push(
        `${where}: expected no more conversions than visitors for ${key}, got ${conversions} of ${visitors}`,
      );
    }
  }
  return problems;
}

function groupProblems(counts: Counts): string[] {
  const total = new Map<string, number>();
  for (const { arms } of [...(counts.earlier ?? []), counts]) {
    for (const { key, visitors } of arms) total.set(key, (total.get(key) ?? 0) + visitors);
  }
  const groups = [
    ...(counts.stages ?? []).map(({ stage, visitors }) => [`stage ${stage}`, visitors] as const),
    ...Object.entries(counts.slices ?? {}).flatMap(([dimension, slices]) =>
      slices.flatMap(({ value, visitors }) => [[`${dimension} ${value}`, visitors] as const]),
    ),
    ['fallbacks', counts.fallbacks ?? {}] as const,
  ];
  const problems = groups.flatMap(([where, visitors]) =>
    Object.entries(visitors).flatMap(([key, count]) => [
      ...(total.has(key) ? [] : [`${where}: expected keys of arms, got ${key}`]),
      ...(isCount(count)
        ? []
        : [`${where}: expected whole numbers from 0, got ${count} for ${key}`]),
    ]),
  );
  for (const [key, count] of Object.entries(counts.fallbacks ?? {})) {
    if (count > (total.get(key) ?? count)) {
      problems.push(`fallbacks: expected no more than visitors of ${key}, got ${count}`);
    }
  }
  return problems;
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}

function isPositive(number: number): boolean {
  return number > 0 && Number.isFinite(number);
}
