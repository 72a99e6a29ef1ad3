import type { BenchProcess } from './bench-process.ts';

/** One round: what the load process is told. */
export interface LoadOrder {
  readonly url: string;
  /** `name=value` of the visitors to be; none for first visits. */
  readonly cookies: readonly string[];
  readonly connections: number;
  /** Seconds. */
  readonly duration: number;
}

/** One round: what the load process saw. */
export interface LoadResult {
  /** Answers received. */
  readonly requests: number;
  readonly seconds: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
  /** How many of each kind; any is a failed round. */
  readonly failures: Readonly<Record<string, number>>;
}

/**
 * Has the load process drive one round.
 *
 * @throws {Error} naming what went wrong, when a single request did
 */
export async function drive(load: BenchProcess, order: LoadOrder): Promise<LoadResult> {
  const result = await load.ask<LoadResult>(order);
  const failures = Object.entries(result.failures).filter(([, count]) => count > 0);
  if (failures.length > 0) {
    const named = failures.map(([kind, count]) => `${count} ${kind}`).join(', ');
    throw new Error(`Expected every request to ${order.url} to be answered, got ${named}`);
  }
  if (result.requests === 0) throw new Error(`Expected answers from ${order.url}, got none`);
  return result;
}
