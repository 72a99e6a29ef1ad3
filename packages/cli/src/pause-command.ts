import { Command } from 'commander';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import { changeStatus } from './status-change.ts';

/** `turnout pause`: nobody new takes part. */
export function pauseCommand(context: Context): Command {
  const command = new Command('pause')
    .description('Take no new visitors; who is assigned keeps the variant.')
    .argument('<key>', 'experiment')
    .addHelpText(
      'after',
      examples(['pause home-redesign --reason "sale begins"', 'until turnout resume']),
    );
  return addChangeOptions(command).action((key: string, options: ChangeOptions) =>
    changeStatus(context, key, options, { status: 'paused', question: `Pause ${key}?` }),
  );
}
