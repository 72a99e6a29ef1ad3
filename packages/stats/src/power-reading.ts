import type { PowerReading } from './analysis.ts';
import type { ArmCounts, PowerQuestion } from './counts.ts';
import { unknown } from './figure.ts';
import type { Design } from './power.ts';
import { requiredControl } from './power.ts';

/** A design for as many comparisons; undefined without a rate of control between 0 and 1. */
export type SharedDesign = Omit<Design, 'ratio'>;

export const DEFAULT_POWER = 0.8;

/** How many visitors the minimum lift takes, and how many days they take to come. */
export function readPower(
  { minimumLift, visitorsPerDay = 0 }: PowerQuestion,
  design: SharedDesign,
  arms: readonly ArmCounts[],
  control: string | null,
  progress: { readonly visitors: number; readonly plannedVisitors: number | null },
): PowerReading {
  const sampleSize = sizeOf(design, minimumLift, arms, control);
  const target =
    progress.plannedVisitors ?? (sampleSize.kind === 'known' ? sampleSize.visitors : undefined);
  const left = Math.max(0, (target ?? 0) - progress.visitors);
  const days = left / visitorsPerDay;
  return {
    ...design,
    baseline: Number.isNaN(design.baseline) ? null : design.baseline,
    sampleSize,
    daysLeft: daysLeft(),
  };

  function daysLeft(): PowerReading['daysLeft'] {
    if (target === undefined && sampleSize.kind === 'unknown') return sampleSize;
    if (left === 0) return { kind: 'known', days: 0 };
    return Number.isFinite(days) ? { kind: 'known', days } : unknown('no-traffic');
  }
}

function sizeOf(
  design: SharedDesign,
  minimumLift: number | undefined,
  arms: readonly ArmCounts[],
  control: string | null,
): PowerReading['sampleSize'] {
  if (minimumLift === undefined) return unknown('no-minimum-lift');
  const taking = arms.filter(({ weight }) => weight > 0);
  const base = taking.find(({ key }) => key === control);
  const variants = taking.filter((arm) => arm !== base);
  if (base === undefined || variants.length === 0) return unknown('not-compared');
  let visitors = 0;
  const all = taking.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight } of variants) {
    const required = requiredControl({ ...design, ratio: weight / base.weight }, minimumLift);
    if (required.kind === 'unknown') return required;
    visitors = Math.max(visitors, required.visitors * (all / base.weight));
  }
  const each = taking.map(({ key, weight }) => ({
    key,
    visitors: Math.ceil(visitors * (weight / all)),
  }));
  return {
    kind: 'known',
    visitors: each.reduce((sum, arm) => sum + arm.visitors, 0),
    arms: each,
  };
}
