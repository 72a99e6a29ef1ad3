// `npm test` and `npm run check`, once the bootstrap has installed: makes sure of the
// programs that tests use, builds, runs every suite, and ends with the sum of it all.

import path from 'node:path';
import process from 'node:process';
import { parseCommandLine, type Command } from '../command-line.mjs';
import { Progress, screenOn, styled } from '../progress.mjs';
import { provide } from '../stack/provision.ts';
import {
  chromium,
  installCommand,
  mariadbServer,
  php,
  redisServer,
} from '../stack/system-programs.ts';
import { gates, runGate } from './gates.ts';
import { add, closingLine, isFailure, none, type Counts } from './counts.ts';
import { stopRunning } from './running.ts';
import { runSuites } from './suites.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const logs = path.join(root, '.turnout', 'logs');
const screen = screenOn(process.stdout, process.env);
const progress = new Progress(screen);
const isCi = Boolean(process.env.CI) && process.env.CI !== 'false';
const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => Boolean(entry[1])),
);

let ending = false;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.on(signal, () => void end(code));
process.once('disconnect', () => void end(1));

/** Interrupted: the last line is the sum all the same, and it is a failure. */
async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await stopRunning();
  process.stdout.write(`\nInterrupted.\n${closingLine({ ...none, failed: 1 })}\n`);
  process.exit(code);
}

/** Whether all the programs are there; a missing one is a failure in CI alone. */
async function programs(mayInstall: boolean): Promise<Counts> {
  const wanted = [redisServer, mariadbServer, php, chromium];
  const missing = await provide(wanted, { env, logs, mayInstall, progress });
  if (missing.length === 0) return none;
  for (const { program, why } of missing)
    progress.line(
      `${styled(screen, 'yellow', '!')} ${program.name} is missing (${why}): ${isCi ? 'that is a failure in CI' : 'its tests are skipped'}`,
    );
  progress.line(`  On Debian or Ubuntu: sudo ${installCommand(missing)}`);
  return isCi ? { ...none, failed: missing.length } : none;
}

async function main(
  command: Command,
  mayInstall: boolean,
  rest: readonly string[],
): Promise<Counts> {
  let counts = await programs(mayInstall);
  for (const gate of gates(command)) {
    const passed = await runGate(gate, { root, logs, env, progress });
    // To `npm test` the build is a means; only `check` counts it.
    if (!passed) counts = add(counts, { ...none, failed: 1 });
    else if (command === 'check') counts = add(counts, { ...none, passed: 1 });
    if (!passed && command === 'test') return counts;
  }
  return add(counts, await runSuites(rest, { root, env }));
}

const { command, yes, rest } = parseCommandLine(process.argv.slice(2));
const counts = await main(command, yes || isCi, rest);
process.stdout.write(`\n${closingLine(counts)}\n`);
process.exit(isFailure(counts, isCi) ? 1 : 0);
