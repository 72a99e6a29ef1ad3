import { createLog } from './log.ts';
import { listenProblem } from './listen-problem.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { startWorker, type RunningWorker } from './worker.ts';

// The process of one worker: started by the primary, told what to do by messages.

const { log, flush } = createLog({ process: 'edge-worker', pid: process.pid });
let worker: RunningWorker | undefined;
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
    case 'metrics':
      if (worker === undefined) return;
      tell({ kind: 'metrics', request: message.request, snapshot: await worker.snapshot() });
      return;
    case 'drain':
      await (ending ??= end());
      return;
  }
}

async function start({ config, dataDir, cookieSecrets }: ToWorker & { kind: 'start' }) {
  try {
    worker = await startWorker({ config, dataDir, cookieSecrets, log });
    tell({ kind: 'listening', port: worker.port });
  } catch (error) {
    tell({
      kind: 'hopeless',
      reason: listenProblem(error, 'public', config.public.port, 'TURNOUT_PORT'),
    });
  }
}

async function end(): Promise<void> {
  await worker?.drain();
  flush();
  process.exit(0);
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
