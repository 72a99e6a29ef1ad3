import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Milliseconds that start and stop may take on a loaded machine. */
const PATIENCE = 60_000;
const LOOPBACK = '127.0.0.1';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A TCP port that is free now, for servers that can't choose one and tell. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, LOOPBACK);
  await once(probe, 'listening');
  const address = probe.address();
  const closed = once(probe, 'close');
  probe.close();
  await closed;
  if (address === null || typeof address === 'string') throw new Error('No TCP port to be had.');
  return address.port;
}

/**
 * Starts a server program; resolves once it has said `ready` on either output. It ends
 * with this process at the latest.
 *
 * @throws {Error} with the last of what it said, when it ends or is not ready in time
 */
export async function startServerProcess(
  program: string,
  options: readonly string[],
  ready: string,
): Promise<ChildProcess> {
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string): void => {
      clearTimeout(timer);
      reject(new Error(`${program} ${what}:\n${log.slice(-2_000)}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${PATIENCE / 1_000} s`);
    }, PATIENCE);
    child.once('error', (error) => fail(`cannot be run: ${error.message}`));
    child.once('close', (code, signal) => fail(`ended with ${signal ?? code} instead of starting`));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        log = (log + chunk).slice(-10_000);
        if (!log.includes(ready)) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
  return child;
}

/** Sends `signal` and waits for the end; a server that ignores it is killed. */
export async function endServerProcess(
  child: ChildProcess,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  // A paused process receives no other signal before this one.
  child.kill('SIGCONT');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  await ended;
  clearTimeout(timer);
}
