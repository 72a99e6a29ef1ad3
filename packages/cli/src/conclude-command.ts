import { Command } from 'commander';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import { changeStatus } from './status-change.ts';

interface ConcludeOptions extends ChangeOptions {
  readonly winner: string;
}

/** `turnout conclude`: all get the winner. */
export function concludeCommand(context: Context): Command {
  const command = new Command('conclude')
    .description('End an experiment: all visitors get the winner, and nothing more is counted.')
    .argument('<key>', 'experiment')
    .requiredOption('--winner <variant>', 'the variant that all get')
    .addHelpText(
      'after',
      examples(['conclude home-redesign --winner B --reason "12 % more sign-ups"', 'B for all']),
    );
  return addChangeOptions(command).action((key: string, options: ConcludeOptions) =>
    changeStatus(context, key, options, {
      status: 'concluded',
      winner: options.winner,
      question: `Give ${options.winner} to all visitors of ${key}?`,
    }),
  );
}
