import { Command } from 'commander';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import { changeStatus } from './status-change.ts';

/** `turnout resume`: it runs, again or for the first time. */
export function resumeCommand(context: Context): Command {
  const command = new Command('resume')
    .description('Let an experiment run: a draft for the first time, or again.')
    .argument('<key>', 'experiment')
    .addHelpText(
      'after',
      examples(['resume home-redesign --reason "sale is over"', 'go on where it was']),
    );
  return addChangeOptions(command).action((key: string, options: ChangeOptions) =>
    changeStatus(context, key, options, { status: 'running', question: `Let ${key} run?` }),
  );
}
