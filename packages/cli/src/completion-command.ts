import { Argument, Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { commandLineOf } from './completion/command-line.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import type { Context } from './context.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `turnout completion`: a script by which a shell completes commands, options and experiments. */
export function completionCommand({ terminal }: Context): Command {
  const command = new Command('completion')
    .description('Print a script that lets your shell complete turnout commands.')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
Examples:
  # in ~/.bashrc
  source <(turnout completion bash)
  # in ~/.zshrc
  source <(turnout completion zsh)
  # once, for fish
  turnout completion fish > ~/.config/fish/completions/turnout.fish
`,
    );
  return command.action((shell: keyof typeof SCRIPTS) => {
    terminal.print(SCRIPTS[shell](commandLineOf(command.parent ?? command)).trimEnd());
  });
}
