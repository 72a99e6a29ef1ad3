import type { ExperimentDocument } from '@turnout/contracts';
import type { MovePreview } from '@turnout/contracts/management';
import { HOLDOUT, OUTSIDE, SLOTS } from '@turnout/router-core';
import type { PlannedEdit } from './plan-edit.ts';

/** Unique visitors of one variant on any of these days. Rejects when the ledger can't say. */
export type CountVisitors = (
  experiment: string,
  phase: number,
  variant: string,
  days: readonly string[],
) => Promise<number>;

/** Days that estimates look back. */
const DAYS = 30;

/**
 * How many visitors a change moves: its shares, times the unique visitors of the last 30 days.
 * Visitors of the holdout, and outside of the layer's slots, are counted nowhere: how many
 * they are follows from how many slots they have.
 */
export async function estimateMoves(
  { before, allocation }: PlannedEdit,
  count: CountVisitors,
  now: Date,
): Promise<MovePreview> {
  const { slotsMoved, moves } = allocation;
  const seen = before && (await countAll(before.document, count, now));
  const population = before && seen && placesOf(before.document, seen);
  return {
    slotsMoved,
    moves: moves.map(({ from, to, share }) => ({
      from,
      to,
      share,
      visitors: Math.round(share * (population?.get(from) ?? 0)),
    })),
    ...(seen !== undefined && { counted: { visitors: sum(seen), days: DAYS } }),
  };
}

/** By variant; undefined where the ledger could not say. */
async function countAll(
  { key, phase, variants }: ExperimentDocument,
  count: CountVisitors,
  now: Date,
): Promise<ReadonlyMap<string, number> | undefined> {
  const days = Array.from({ length: DAYS }, (_, ago) =>
    new Date(now.getTime() - ago * 86_400_000).toISOString().slice(0, 10),
  );
  try {
    const counts = variants.map(
      async (variant) => [variant.key, await count(key, phase, variant.key, days)] as const,
    );
    return new Map(await Promise.all(counts));
  } catch {
    return undefined;
  }
}

/** Visitors by where they are: in a variant, the holdout, or outside of the layer's slots. */
function placesOf(
  { layer, coverage }: ExperimentDocument,
  seen: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const [first, end] = layer?.slots ?? [0, SLOTS];
  const inLayer = (end - first) / SLOTS;
  const covered = coverage / SLOTS;
  const all = covered === 0 ? 0 : sum(seen) / (inLayer * covered);
  return new Map([
    ...seen,
    [HOLDOUT, all * inLayer * (1 - covered)],
    [OUTSIDE, all * (1 - inLayer)],
  ]);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
