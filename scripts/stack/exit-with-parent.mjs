// Preloaded (`node --import`) into every server that the stack starts. When the stack
// is killed outright it can stop nobody; but the IPC channel to it closes, and then
// this ends the server in order, and after a bound its whole process group.

import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

/** Within this the server must have ended by itself. Its contract is 5 s. */
const boundMs = 8000;

// Cluster workers and other descendants inherit the preload. Their channel belongs to
// their own parent, which looks after them.
const isOurs =
  isMainThread &&
  process.channel !== undefined &&
  process.env.TURNOUT_SUPERVISOR_PID === String(process.ppid);

if (isOurs) {
  process.once('disconnect', () => {
    if (process.listenerCount('SIGTERM') === 0) endGroup();
    process.once('exit', endGroup);
    setTimeout(endGroup, boundMs).unref();
    process.kill(process.pid, 'SIGTERM');
  });
  process.channel?.unref();
}

function endGroup() {
  process.kill(-process.pid, 'SIGKILL');
}
