import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

// Preloaded into the processes that are measured (`--import`). At SIGUSR2 it writes how long
// their event loop was kept from all else since the last time, and the CPU time that they took.

/** What one process tells of the time since it was asked last. */
export interface LoopDelay {
  /** The longest that its event loop was late, in ms. */
  readonly longest: number;
  /** CPU time of all its threads, in ms. */
  readonly cpu: number;
}

/** Folder that each process writes a file of its own to, named by its process id. */
const folder = process.env['BENCH_LOOP_DELAY_DIR'];

if (isMainThread && folder !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let cpu = process.cpuUsage();
  process.on('SIGUSR2', () => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const told: LoopDelay = { longest: delays.max / 1e6, cpu: (user + system) / 1_000 };
    delays.reset();
    writeFileSync(join(folder, String(process.pid)), JSON.stringify(told));
  });
}
