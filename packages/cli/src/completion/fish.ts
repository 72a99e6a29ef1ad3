import { LIST_EXPERIMENTS, type CompletedCommand, type Completion } from './command-line.ts';

/** A completion script for fish. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# fish completion for turnout: turnout completion fish | source
complete -c turnout -f
${commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines({ name, description, options, arguments: list }: CompletedCommand): string[] {
  const seen = `complete -c turnout -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c turnout -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...options.map(({ flags, description: told, value }) => {
      const names = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const given = value === undefined ? '' : ` ${valueOf(value)}`;
      return `${seen} ${names.join(' ')}${given} -d ${quoted(told)}`;
    }),
    ...list
      .filter(({ kind }) => kind === 'words' || kind === 'experiments')
      .map((argument) => `${seen} -a ${wordsOf(argument)}`),
  ];
}

function valueOf(completion: Completion): string {
  if (completion.kind === 'files') return '-r -F';
  return completion.kind === 'text' ? '-x' : `-x -a ${wordsOf(completion)}`;
}

function wordsOf(completion: Completion): string {
  return quoted(completion.kind === 'words' ? completion.words.join(' ') : `(${LIST_EXPERIMENTS})`);
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
