import { CommanderError } from 'commander';
import { CommandError, EXIT } from './command-error.ts';
import { createProgram } from './program.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Runs the command line of this process, and says how it is to end. */
export async function run(): Promise<void> {
  const interrupt = new AbortController();
  // Once: a second Ctrl-C ends whatever does not heed the first.
  process.once('SIGINT', () => interrupt.abort());
  // Whoever reads our output may stop early, as head does; what was begun is done all the same,
  // and ends as it ends.
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }

  const terminal = processTerminal(interrupt);
  try {
    await createProgram({
      env: process.env,
      terminal,
      signal: interrupt.signal,
    }).parseAsync();
  } catch (error) {
    process.exitCode = tell(error, terminal, interrupt.signal);
  }
}

/** Says what went wrong; gives the exit code. */
function tell(error: unknown, terminal: Terminal, interrupt: AbortSignal): number {
  if (error instanceof CommandError) {
    terminal.warn(
      [`error: ${error.message}`, ...error.details.map((line) => `  ${line}`)].join('\n'),
    );
    return error.exitCode;
  }
  // Commander has told it already; asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (interrupt.aborted) {
    terminal.warn('Interrupted.');
    return EXIT.interrupted;
  }
  throw error;
}
