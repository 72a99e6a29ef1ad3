import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What figures depend on besides the code. */
export interface Machine {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  /** Runnable processes over the last minute: more than there are cores, and figures are of little worth. */
  readonly load: number;
}

export function describeMachine(now: Date): Machine {
  return {
    date: now.toISOString(),
    node: process.version,
    platform: `${platform()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
    load: loadavg()[0] ?? 0,
  };
}
