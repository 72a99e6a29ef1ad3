import { readFile } from 'node:fs/promises';
import type { ExperimentFile, LooseDocument, Problem } from '@turnout/contracts';
import { CommandError, EXIT, usageError } from './command-error.ts';
import type { Terminal } from './terminal.ts';

/**
 * Reads experiments from a file, or from standard input for `-`, checked as an edge would.
 *
 * @throws {CommandError} with every problem and its line
 */
export async function readExperimentFile(
  file: string,
  terminal: Terminal,
): Promise<ExperimentFile> {
  const source = await readSource(file, terminal);
  // Schemas and the compiler take a while to load: only commands that read a file need them.
  const { ConfigError, readExperiments } = await import('@turnout/contracts');
  const { ExperimentError, compileExperiment } = await import('@turnout/router-core');
  const compileProblems = ({ experiments }: LooseDocument): Problem[] =>
    experiments.flatMap(({ whole }, index) => {
      if (whole === undefined) return [];
      try {
        compileExperiment(whole);
        return [];
      } catch (error) {
        if (!(error instanceof ExperimentError)) throw error;
        return error.problems.map(({ path, message }) => ({
          path: ['experiments', index, ...path],
          message,
        }));
      }
    });
  try {
    return readExperiments(source, file === '-' ? 'standard input' : file, compileProblems);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(error.message, EXIT.usage, { cause: error });
  }
}

/** What of a file is not applied, and how it takes effect; undefined where all of it is. */
export function tellOthers({ otherKeys }: ExperimentFile): string | undefined {
  if (otherKeys.length === 0) return undefined;
  return `Only experiments are applied. The rest of the file (${otherKeys.join(', ')}) is read by edge and API when they start: restart them after a change.`;
}

async function readSource(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return terminal.readInput();
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Can't read ${file}: ${reason}. Name a file by -f FILE.`);
  }
}
