import { Command } from 'commander';
import { apiClient } from './api-client.ts';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { fetchExperiment } from './experiment-request.ts';
import { examples } from './help.ts';
import { changeStatus } from './status-change.ts';

interface ArchiveOptions extends ChangeOptions {
  readonly restore?: boolean;
}

/** `turnout archive`: out of the lists, and out of what edges follow. */
export function archiveCommand(context: Context): Command {
  const command = new Command('archive')
    .description('Put a draft or a concluded experiment away; history and results stay.')
    .argument('<key>', 'experiment')
    .option('--restore', 'bring it back as what it was')
    .addHelpText(
      'after',
      `
A concluded experiment gives its winner to all for as long as it is there. Once it is archived,
its pages go where routes, other experiments and the default of turnout.yaml send them: make the
winner's upstream the one that gets them first.
${examples(
  ['archive home-redesign --reason "B is the default now"', 'get --all lists it still'],
  ['archive home-redesign --restore --reason "not yet"', 'concluded again, with its winner'],
)}`,
    );
  return addChangeOptions(command).action(async (key: string, options: ArchiveOptions) => {
    if (options.restore !== true) {
      return changeStatus(context, key, options, {
        status: 'archived',
        question: `Archive ${key}?`,
      });
    }
    const { document } = await fetchExperiment(await apiClient(context, options), key);
    return changeStatus(context, key, options, {
      status: document.winner === undefined ? 'draft' : 'concluded',
      question: `Restore ${key}?`,
    });
  });
}
