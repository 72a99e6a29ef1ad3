// Starts the program by the Node chosen and lives as long as it does: signals go
// to it, its exit code comes back, and neither outlives the other.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { whenNpmIsGone } from './npm-watch.mjs';

/** @type {NodeJS.Signals[]} */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * @param {string} node
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<void>} when the program has ended; sets our exit code
 */
export async function handOver(node, program, args, cwd, env) {
  // Over the `ipc` channel the program notices when we are gone, SIGKILL included.
  const child = spawn(node, [program, ...args], {
    cwd,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  const watch = whenNpmIsGone(() => child.kill('SIGTERM'));

  const { code, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
  });
  watch.stop();
  for (const name of forwarded) process.off(name, forward);
  if (signal) process.kill(process.pid, signal);
  process.exitCode = code ?? 1;
}
