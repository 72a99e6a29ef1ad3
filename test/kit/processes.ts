import { execFileSync } from 'node:child_process';

/** A process, as `ps` shows it on Linux and macOS. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
}

/** All processes below `pid`, itself left out. */
export function descendantsOf(pid: number): ProcessEntry[] {
  const all = listProcesses();
  const found: ProcessEntry[] = [];
  const parents = new Set([pid]);
  // A child has its entry anywhere: go round until no generation is left.
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const entry of all) {
      if (!parents.has(entry.parent) || parents.has(entry.pid)) continue;
      parents.add(entry.pid);
      found.push(entry);
    }
  }
  return found;
}

/** Which of `entries` still run, or have left somebody in their process group. */
export function survivorsOf(entries: readonly ProcessEntry[]): ProcessEntry[] {
  const pids = new Set(entries.map(({ pid }) => pid));
  const leaders = new Set(entries.filter(({ pid, group }) => pid === group).map(({ pid }) => pid));
  return listProcesses().filter(({ pid, group }) => pids.has(pid) || leaders.has(group));
}

function listProcesses(): ProcessEntry[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed.split('\n').flatMap((line) => {
    const [, pid, parent, group, state, command] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // A zombie has ended; only its parent has not asked yet.
    if (command === undefined || state?.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), command }];
  });
}
