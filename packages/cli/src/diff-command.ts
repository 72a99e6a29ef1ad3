import { Command } from 'commander';
import { apiClient } from './api-client.ts';
import { prepareApply } from './apply-request.ts';
import { showChanges } from './change-report.ts';
import { CommandError, EXIT } from './command-error.ts';
import { addApiOptions, meaningOption, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { readExperimentFile, tellOthers } from './experiment-file.ts';
import { examples } from './help.ts';
import type { Meaning } from '@turnout/contracts/management';

interface DiffOptions extends ApiOptions {
  readonly file: string;
  readonly meaning?: Meaning;
}

/** `turnout diff`: what apply would change. Ends like diff(1): 0 the same, 1 different, 2 trouble. */
export function diffCommand(context: Context): Command {
  const command = new Command('diff')
    .description('Show what apply would change. Exits with 0 for nothing, 1 for something.')
    .requiredOption('-f, --file <file>', 'as for apply; - is standard input')
    .addOption(meaningOption())
    .addHelpText(
      'after',
      examples(['diff -f turnout.yaml || echo drifted', 'has somebody changed it by hand?']),
    );
  return addApiOptions(command).action(async (options: DiffOptions) => {
    const { terminal } = context;
    try {
      const file = await readExperimentFile(options.file, terminal);
      const others = tellOthers(file);
      if (others !== undefined) terminal.warn(others);
      const send = await prepareApply(await apiClient(context, options), file, options.meaning);
      const result = await send('diff', true);
      const shown = showChanges(result.changes);
      if (options.json === true) terminal.print(JSON.stringify(result, undefined, 2));
      else terminal.print(shown ?? 'Nothing would change.');
      process.exitCode = shown === undefined ? EXIT.done : EXIT.refused;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new CommandError(error.message, EXIT.usage, { details: error.details, cause: error });
    }
  });
}
