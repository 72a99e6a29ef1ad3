import cluster from 'node:cluster';
import { createLog } from './log.ts';
import { listenProblem } from './listen-problem.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { Snapshot } from '@turnout/contracts';
import { startWorker, type RunningWorker } from './worker.ts';

// The process of one worker: started by the primary, told what to do by messages.

const { log, flush } = createLog({ process: 'edge-worker', pid: process.pid });
/** How often the primary gets the counts unasked, in ms: all that a killed worker can lose. */
const REPORT_EVERY = 1_000;
/**
 * Milliseconds between reports for each value in one. A value costs some 3 µs here, so that a
 * thousand experiments do not take more than a fiftieth of a worker's time.
 */
const REPORT_PACE = 0.15;

// Else node:cluster ends this process by itself, at once, when the primary dies.
if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
let worker: RunningWorker | undefined;
/** Came while the worker was starting. */
let early: Snapshot | undefined;
let ending: Promise<void> | undefined;

process.on('message', (message: ToWorker) => void hear(message));
// The primary died: nobody would ever end this process.
process.on('disconnect', () => (ending ??= end()));
// A Ctrl-C reaches every process of the terminal; the primary says when to end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

async function hear(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'start':
      await start(message);
      return;
    case 'snapshot':
      if (worker === undefined) early = message.snapshot;
      else worker.adopt(message.snapshot);
      return;
    case 'visitor':
      worker?.forget(message.visitor);
      return;
    case 'metrics':
      if (worker !== undefined) await report(worker, message.request);
      return;
    case 'explain':
      if (worker !== undefined) await explainTo(worker, message);
      return;
    case 'drain':
      await (ending ??= end());
      return;
  }
}

async function start(settings: ToWorker & { kind: 'start' }): Promise<void> {
  try {
    const started = await startWorker({ ...settings, log });
    worker = started;
    if (early !== undefined) started.adopt(early);
    await tell({ kind: 'listening', port: started.port });
    reportUnasked(started);
  } catch (error) {
    const { port } = settings.config.public;
    await tell({
      kind: 'hopeless',
      reason: listenProblem(error, 'public', port, 'TURNOUT_PORT'),
    });
    await flush();
    process.exit(1);
  }
}

async function end(): Promise<void> {
  await worker?.drain();
  await flush();
  process.exit(0);
}

/** @returns how many values it held */
async function report(running: RunningWorker, request: number): Promise<number> {
  const snapshot = await running.counts();
  await tell({ kind: 'metrics', request, snapshot });
  return snapshot.reduce((sum, { values }) => sum + values.length, 0);
}

function reportUnasked(running: RunningWorker, delay = REPORT_EVERY): void {
  setTimeout(async () => {
    const values = await report(running, 0);
    reportUnasked(running, Math.max(REPORT_EVERY, values * REPORT_PACE));
  }, delay).unref();
}

async function explainTo(
  running: RunningWorker,
  { request, question }: ToWorker & { kind: 'explain' },
): Promise<void> {
  await tell({ kind: 'explanation', request, explanation: await running.explain(question) });
}

/** Resolves when the message is on its way, or there is nobody to get it. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}
