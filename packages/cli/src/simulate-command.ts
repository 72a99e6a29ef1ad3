import { access, constants } from 'node:fs/promises';
import { Command } from 'commander';
import type { ExperimentDocument } from '@turnout/contracts';
import type { ExperimentList, Meaning } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { CommandError, EXIT, usageError } from './command-error.ts';
import { addApiOptions, meaningOption, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { readExperimentFile } from './experiment-file.ts';
import { examples } from './help.ts';
import { count } from './numbers.ts';
import { applied } from './simulation/change.ts';
import type { Population } from './simulation/population.ts';
import { showSimulation } from './simulation/report.ts';
import { runSimulation } from './simulation/run.ts';

interface SimulateOptions extends ApiOptions {
  readonly file: string;
  readonly visitors: number;
  readonly seed: string;
  readonly accessLog?: string;
  readonly against: string;
  readonly meaning?: Meaning;
}

/** Each is held in memory, with where it would be. */
const MOST_VISITORS = 5_000_000;

/** `turnout simulate`: a population, replayed through changed documents. */
export function simulateCommand(context: Context): Command {
  const command = new Command('simulate')
    .description('Try changed documents on a population: the split, and who would move.')
    .requiredOption('-f, --file <file>', 'the changed documents, as for apply')
    .option('--visitors <count>', 'how many visitors to make up', visitors, 100_000)
    .option('--seed <text>', 'others with another seed', '1')
    .option('--access-log <file>', "an edge's log, whose requests are replayed instead")
    .option('--against <file>', 'what is there now: live asks the API, else a file', 'live')
    .addOption(meaningOption())
    .addHelpText(
      'after',
      `
Visitors are taken to have what the hash says before the change. BEFORE and AFTER are about
them; NEW VISITORS is what others get who come after the change.
${examples(
  ['simulate -f home.yaml --meaning move-fewest', 'who would move?'],
  ['simulate -f home.yaml --access-log edge.log', 'the visitors that were really there'],
  ['simulate -f home.yaml --against turnout.yaml', 'without the API'],
)}`,
    );
  return addApiOptions(command).action(async (options: SimulateOptions) => {
    const { terminal, signal } = context;
    const { experiments } = await readExperimentFile(options.file, terminal);
    const before = await documentsBefore(context, options);
    const after = applied(before, experiments);
    const population: Population =
      options.accessLog === undefined
        ? { kind: 'drawn', visitors: options.visitors, seed: options.seed }
        : { kind: 'access-log', file: options.accessLog };
    if (options.accessLog !== undefined) await checkReadable(options.accessLog);
    const change = { before, after, meaning: options.meaning ?? 'new-visitors' };
    const result = await runSimulation({ change, population }, signal, (requests) =>
      terminal.progress(`${count(requests)} requests`),
    ).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof Error)) throw error;
      throw new CommandError(error.message, EXIT.refused, { cause: error });
    });
    terminal.progress();
    if (population.kind === 'access-log' && result.requests === 0) {
      throw usageError(
        `No request of a visitor in ${population.file}: expected the log of an edge, lines of JSON such as {"msg":"request","method":"GET","host":"shop.example","path":"/","visitor":"…"}.`,
      );
    }
    terminal.print(
      options.json === true
        ? JSON.stringify({ population, meaning: change.meaning, ...result }, undefined, 2)
        : `${told(population, result.requests, result.simulation.visitors)}\n\n${showSimulation(result, after)}`,
    );
  });
}

async function documentsBefore(
  context: Context,
  options: SimulateOptions,
): Promise<readonly ExperimentDocument[]> {
  if (options.against !== 'live') {
    return (await readExperimentFile(options.against, context.terminal)).experiments;
  }
  const api = await apiClient(context, options);
  const { experiments } = await api.request<ExperimentList>('GET', '/v1/experiments');
  return experiments.map(({ document }) => document);
}

/** @throws {CommandError} for a file that can't be read */
async function checkReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Can't read ${file}: ${reason}. Name the log by --access-log FILE.`);
  }
}

function told(population: Population, requests: number, seen: number): string {
  if (population.kind === 'drawn') {
    return `${count(seen)} made-up visitors (seed ${population.seed}), each on every page`;
  }
  return [
    `${count(seen)} visitors with ${count(requests)} requests in ${population.file}`,
    'The log has no visitor ids, only hashes: stand-ins are drawn from them, who need not have',
    'the same variants. It has no headers, cookies and queries either: rules see none.',
  ].join('\n');
}

function visitors(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= MOST_VISITORS) return number;
  throw usageError(`Expected a number of visitors from 1 to ${MOST_VISITORS}, got "${text}".`);
}
