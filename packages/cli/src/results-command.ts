import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { ExperimentResults } from '@turnout/contracts/results';
import { apiClient } from './api-client.ts';
import { CommandError, EXIT, usageError } from './command-error.ts';
import { addApiOptions, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { experimentPath } from './experiment-request.ts';
import { examples } from './help.ts';

interface ResultsOptions extends ApiOptions {
  readonly metric?: string;
  readonly phase?: string;
  readonly anyway?: boolean;
  readonly csv?: boolean;
  readonly html?: string;
}

/** `turnout results`: whether a variant is better, and how far that can be trusted. */
export function resultsCommand(context: Context): Command {
  const command = new Command('results')
    .description('Tell whether a variant does better, and how far that can be trusted.')
    .argument('<key>', 'experiment')
    .option('--metric <metric>', 'what counts as a conversion; the metric of the plan unless given')
    .option('--phase <number>', 'the present one unless given', readPhase)
    .option('--anyway', 'compare and tell the verdict although the split is broken')
    .addOption(new Option('--csv', 'print a row for each variant').conflicts('json'))
    .option('--html <file>', 'write a report that needs nothing but a browser')
    .addHelpText(
      'after',
      examples(
        ['results home-redesign', 'is it better?'],
        ['results home-redesign --html report.html', 'to send to others'],
        ['results home-redesign --metric revenue --csv', 'for a spreadsheet'],
      ),
    );
  return addApiOptions(command).action(async (key: string, options: ResultsOptions) => {
    const { terminal } = context;
    const api = await apiClient(context, options);
    const results = await api.request<ExperimentResults>('GET', pathOf(key, options));
    if (options.html !== undefined) {
      // Only who asks for a page waits for what makes it.
      const { resultsPage } = await import('./results/page.ts');
      await write(options.html, resultsPage(results));
      terminal.warn(`Wrote ${options.html}.`);
    }
    if (options.json === true) return terminal.print(JSON.stringify(results, undefined, 2));
    if (options.csv === true) {
      const { resultsCsv } = await import('./results/csv.ts');
      return terminal.print(resultsCsv(results));
    }
    if (options.html !== undefined) return;
    const { showResults } = await import('./results/report.ts');
    terminal.print(showResults(results, terminal));
  });
}

function pathOf(key: string, { metric, phase, anyway }: ResultsOptions): string {
  const query = new URLSearchParams({
    ...(metric !== undefined && { metric }),
    ...(phase !== undefined && { phase }),
    ...(anyway === true && { anyway: 'true' }),
  });
  return experimentPath(key, `/results${query.size > 0 ? `?${query.toString()}` : ''}`);
}

function readPhase(text: string): string {
  if (/^[1-9]\d{0,8}$/.test(text)) return text;
  throw usageError(`Expected --phase with a number from 1, got "${text}".`);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`Can't write the report: ${reason}.`, EXIT.usage, { cause });
  }
}
