// Runs a native server (Redis, MariaDB) as a child in the same process group: passes
// SIGTERM on, ends as it ends, and stops it when the channel to the stack closes.
//
//   node guard.mjs PROGRAM ARGUMENTS…

import { spawn } from 'node:child_process';
import process from 'node:process';

/** Time for a database to flush and close before its group is killed. */
const boundMs = 15_000;

// What the server writes is for its owner alone.
process.umask(0o077);

const [program = '', ...args] = process.argv.slice(2);
const server = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

const stop = () => {
  server.kill('SIGTERM');
};
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop);

process.once('disconnect', () => {
  stop();
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), boundMs).unref();
});

server.once('error', (error) => {
  process.stderr.write(`Cannot run ${program}: ${error.message}\n`);
  process.exit(127);
});
server.once('exit', (code, signal) => {
  if (signal) process.stderr.write(`${program} was ended by ${signal}\n`);
  process.exit(code ?? 1);
});
