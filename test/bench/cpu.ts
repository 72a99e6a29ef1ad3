import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One process of the machine. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all its threads so far, in µs. */
  readonly cpu: number;
}

// The kernel shows times in USER_HZ, which is 100 on every architecture that node runs on.
const MICROSECONDS_PER_TICK = 10_000;

/**
 * CPU time that a process and its descendants have used so far, in µs: user and system,
 * all threads. Exact to 10 ms for each process.
 */
export async function cpuOfTree(root: number): Promise<number> {
  return sumOfTree(process.platform === 'linux' ? await fromProc() : await fromPs(), root);
}

/** @throws {Error} when there is no such process */
export function sumOfTree(processes: readonly ProcessTimes[], root: number): number {
  const found = processes.find(({ pid }) => pid === root);
  if (found === undefined) throw new Error(`Expected process ${root} to run, but it is gone`);
  return processes
    .filter(({ parent }) => parent === root)
    .reduce((sum, { pid }) => sum + sumOfTree(processes, pid), found.cpu);
}

/** Reads one line of `/proc/<pid>/stat` (proc_pid_stat(5)). */
export function parseStat(line: string): ProcessTimes {
  // The program's name, in parentheses, may hold spaces and parentheses of its own.
  const end = line.lastIndexOf(')');
  const fields = line.slice(end + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    pid: Number.parseInt(line, 10),
    parent: Number(fields[1]),
    cpu: ticks * MICROSECONDS_PER_TICK,
  };
}

/** Reads one line of `ps -o pid=,ppid=,time=`: `[[days-]hours:]minutes:seconds[.hundredths]`. */
export function parsePs(line: string): ProcessTimes {
  const [pid, parent, time = ''] = line.trim().split(/\s+/);
  const [clock = '', days = '0'] = time.split('-').toReversed();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return {
    pid: Number(pid),
    parent: Number(parent),
    cpu: Math.round((Number(days) * 86_400 + seconds) * 1e6),
  };
}

async function fromProc(): Promise<ProcessTimes[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    // One that ended since is none of ours.
    pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)),
  );
  return lines.flatMap((line) => (line === undefined ? [] : [parseStat(line)]));
}

/** macOS has no /proc, but its ps tells hundredths. */
async function fromPs(): Promise<ProcessTimes[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,time=']);
  return stdout.trim().split('\n').map(parsePs);
}
