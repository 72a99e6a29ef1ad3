// Programs that a test run has started, each in a process group of its own, ended with
// the run however that ends.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitWithParent } from '../stack/server-command.ts';
import type { Environment } from '../stack/settings.ts';

/** After SIGTERM they have this long (ms): turbo passes it on to what it runs. */
const graceMs = 3000;

const running = new Map<number, Promise<number>>();
let stopping = false;

/**
 * Runs a Node program.
 *
 * @param args the script and its arguments
 * @param output a file descriptor, or our own output
 * @returns its exit code; 127 if it cannot be run, 1 if a signal ended it
 */
export async function run(
  args: readonly string[],
  { cwd, env, output }: { cwd: string; env: Environment; output: number | 'inherit' },
): Promise<number> {
  const child = spawn(process.execPath, ['--import', exitWithParent, ...args], {
    cwd,
    env: { ...env, TURNOUT_SUPERVISOR_PID: String(process.pid) },
    stdio: ['ignore', output, output, 'ipc'],
    detached: true,
  });
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
  const { pid } = child;
  if (pid === undefined) return ended;
  running.set(pid, ended);
  const code = await ended;
  signalGroup(pid, 'SIGKILL');
  running.delete(pid);
  // Nobody is to go on with the next one while all are being stopped.
  if (stopping) await new Promise(() => undefined);
  return code;
}

/** Ends them all; resolves when they have ended. */
export async function stopRunning(): Promise<void> {
  stopping = true;
  const ended = Promise.all(running.values());
  for (const pid of running.keys()) signalGroup(pid, 'SIGTERM');
  await Promise.race([ended, sleep(graceMs)]);
  for (const pid of running.keys()) signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}
