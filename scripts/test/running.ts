// Programs that a test run has started, in process groups of their own, so that a
// Ctrl-C ends all that they have started in turn.

import { spawn, type StdioOptions } from 'node:child_process';
import process from 'node:process';
import type { Environment } from '../stack/settings.ts';

const running = new Set<number>();

/** @returns its exit code; 127 if it cannot be run, 1 if a signal ended it */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env, stdio }: { cwd: string; env: Environment; stdio: StdioOptions },
): Promise<number> {
  const child = spawn(program, args, { cwd, env, stdio, detached: true });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  try {
    return await new Promise((resolve) => {
      child.once('error', () => resolve(127));
      child.once('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    if (pid !== undefined) {
      kill(pid);
      running.delete(pid);
    }
  }
}

/** Ends them all, at once. */
export function stopRunning(): void {
  for (const pid of running) kill(pid);
}

function kill(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
