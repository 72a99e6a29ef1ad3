import type { Command, Option } from 'commander';

/** What may stand after an option, or as an argument. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'experiments' }
  | { readonly kind: 'files' }
  /** Something that only the user knows. */
  | { readonly kind: 'text' };

export interface CompletedOption {
  /** `-f`, `--file` */
  readonly flags: readonly string[];
  readonly description: string;
  /** What follows it; absent for a switch. */
  readonly value?: Completion;
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly Completion[];
}

/** What a shell has to know of a program to complete its command line. */
export function commandLineOf(program: Command): CompletedCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.summary() || command.description(),
    options: [...command.options.map(completedOption), HELP],
    arguments: command.registeredArguments.map((argument) =>
      completion(argument.name(), argument.argChoices),
    ),
  }));
}

const HELP: CompletedOption = { flags: ['-h', '--help'], description: 'options and examples' };

function completedOption({
  short,
  long,
  description,
  required,
  optional,
  argChoices,
  flags,
}: Option): CompletedOption {
  const names = [short, long].filter((name) => name !== undefined);
  if (!required && !optional) return { flags: names, description };
  const [, placeholder = ''] = /<(.+)>/.exec(flags) ?? [];
  return { flags: names, description, value: completion(placeholder, argChoices) };
}

function completion(name: string, choices: readonly string[] | undefined): Completion {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (name === 'key' || name === 'experiment') return { kind: 'experiments' };
  if (name === 'file') return { kind: 'files' };
  return { kind: 'text' };
}

/** The command that lists what changes: the keys of experiments, one a line, or nothing. */
export const LIST_EXPERIMENTS = 'turnout get --keys 2>/dev/null';
