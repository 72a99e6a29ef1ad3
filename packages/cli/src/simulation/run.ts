import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SimulatedChange, Simulation } from '@turnout/router-core';
import type { Population } from './population.ts';

export interface SimulationJob {
  readonly change: SimulatedChange;
  readonly population: Population;
}

export interface SimulationResult {
  /** Those of visitors; lines of a log that tell of none are left out. */
  readonly requests: number;
  /** The population, taken to have been there before the change. */
  readonly simulation: Simulation;
  /** The same population, taken to come only after it. */
  readonly newVisitors: Simulation;
}

export type SimulationMessage =
  | { readonly kind: 'progress'; readonly requests: number }
  | { readonly kind: 'done'; readonly result: SimulationResult };

/**
 * Simulates in a thread of its own, so that Ctrl-C is heard meanwhile.
 *
 * @param onProgress called with the requests so far, over both passes
 * @throws what the simulation throws; AbortError when `signal` is aborted
 */
export async function runSimulation(
  job: SimulationJob,
  signal: AbortSignal,
  onProgress: (requests: number) => void,
): Promise<SimulationResult> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: job });
  try {
    // It also throws what the thread has thrown.
    for await (const values of on(worker, 'message', { signal })) {
      const message: SimulationMessage = values[0];
      if (message.kind === 'done') return message.result;
      onProgress(message.requests);
    }
    throw new Error('The simulation ended without a result.');
  } finally {
    await worker.terminate();
  }
}
