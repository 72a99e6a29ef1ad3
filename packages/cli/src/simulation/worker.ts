import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from '@turnout/router-core';
import { requestsOf } from './population.ts';
import type { SimulationJob, SimulationMessage } from './run.ts';

/** Requests between two reports. */
const REPORT_EVERY = 10_000;

const job: SimulationJob = workerData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const tell = (message: SimulationMessage): void => parentPort?.postMessage(message);

let requests = 0;
function* counted() {
  for (const request of requestsOf(job.population)) {
    requests += 1;
    if (requests % REPORT_EVERY === 0) tell({ kind: 'progress', requests });
    yield request;
  }
}

const simulation = simulate(job.change, counted());
const asked = requests;
// As if nobody had been there before: what those get who come from now on.
const newVisitors = simulate({ ...job.change, before: [] }, counted());
tell({ kind: 'done', result: { requests: asked, simulation, newVisitors } });
