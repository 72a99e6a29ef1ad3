import cluster from 'node:cluster';
import { createLog } from './log.ts';
import { listenProblem } from './listen-problem.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { openWorker, type OpenWorker } from './worker.ts';

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
/** Once it accepts connections. */
let worker: OpenWorker | undefined;
/** The opening, and the snapshots that came since, one after the other. */
let opening: Promise<OpenWorker | undefined> = Promise.resolve(undefined);
let publicPort = 0;
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
      opening = open(message);
      return;
    case 'experiments':
    case 'snapshot':
      opening = opening.then(async (opened) => {
        if (opened !== undefined) await bring(opened, message);
        return opened;
      });
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

async function open(settings: ToWorker & { kind: 'start' }): Promise<OpenWorker | undefined> {
  publicPort = settings.config.public.port;
  try {
    return await openWorker({ ...settings, log });
  } catch (error) {
    return giveUp(error);
  }
}

/** Brings the worker on to its next snapshot; with the first one it begins to serve. */
async function bring(
  opened: OpenWorker,
  message: ToWorker & { kind: 'experiments' | 'snapshot' },
): Promise<void> {
  if (message.kind === 'experiments') {
    await opened.prepare(message.texts);
    return;
  }
  const isUsed = await opened.adopt(message);
  if (worker === undefined) {
    if (!isUsed) return giveUp('the experiments can not be used: see the log');
    try {
      await tell({ kind: 'listening', port: await opened.listen() });
    } catch (error) {
      return giveUp(error);
    }
    worker = opened;
    reportUnasked(opened);
  }
  await tell({ kind: 'adopted', isUsed });
}

/** Ends this process: another try would end the same way. */
async function giveUp(error: unknown): Promise<never> {
  const reason = listenProblem(error, 'public', publicPort, 'TURNOUT_PORT');
  await tell({ kind: 'hopeless', reason });
  await flush();
  process.exit(1);
}

async function end(): Promise<void> {
  await worker?.drain();
  await flush();
  process.exit(0);
}

/** @returns how many values it held */
async function report(running: OpenWorker, request: number): Promise<number> {
  const snapshot = await running.counts();
  await tell({ kind: 'metrics', request, snapshot });
  return snapshot.reduce((sum, { values }) => sum + values.length, 0);
}

function reportUnasked(running: OpenWorker, delay = REPORT_EVERY): void {
  setTimeout(async () => {
    const values = await report(running, 0);
    reportUnasked(running, Math.max(REPORT_EVERY, values * REPORT_PACE));
  }, delay).unref();
}

async function explainTo(
  running: OpenWorker,
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
