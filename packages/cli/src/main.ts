#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CommandError, EXIT } from './command-error.ts';
import { createProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => interrupt.abort());
// Whoever reads our output may stop early, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
});

const terminal = processTerminal(interrupt);
try {
  await createProgram({
    env: process.env,
    terminal,
    signal: interrupt.signal,
    now: Date.now,
  }).parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}

/** Says what went wrong; gives the exit code. */
function tell(error: unknown): number {
  if (error instanceof CommandError) {
    terminal.warn(
      [`error: ${error.message}`, ...error.details.map((line) => `  ${line}`)].join('\n'),
    );
    return error.exitCode;
  }
  // Commander has told it already; asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (interrupt.signal.aborted) {
    terminal.warn('Interrupted.');
    return EXIT.interrupted;
  }
  throw error;
}
