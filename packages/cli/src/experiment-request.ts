import type { ExperimentRecord } from '@turnout/contracts/management';
import type { JsonClient } from './api-client.ts';

/** The API's address of an experiment, or of something below it. */
export function experimentPath(key: string, below = ''): string {
  return `/v1/experiments/${encodeURIComponent(key)}${below}`;
}

/** An experiment as it is now. */
export function fetchExperiment(api: JsonClient, key: string): Promise<ExperimentRecord> {
  return api.request('GET', experimentPath(key));
}
