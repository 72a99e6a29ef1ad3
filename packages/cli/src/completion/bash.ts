import { LIST_EXPERIMENTS, type CompletedCommand, type Completion } from './command-line.ts';

/** A completion script for bash; it needs nothing but bash. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const options = commands.flatMap((command) => command.options);
  const withValue = new Set(options.flatMap(({ flags, value }) => (value ? flags : [])));
  return `# bash completion for turnout: source <(turnout completion bash)
_turnout() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=\${COMP_WORDS[1]} position=0 index words=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$current"))
    return
  fi
  # Which argument it is: words that are neither options nor their values.
  for ((index = 2; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      ${[...withValue].join('|')}) ((index++)) ;;
      -*) ;;
      *) ((position++)) ;;
    esac
  done
  case $command:$previous in
${valueCases(commands)}
  esac
  if [[ $current == -* ]]; then
    case $command in
${commands.map((command) => `      ${command.name}) words='${flagsOf(command)}' ;;`).join('\n')}
    esac
  else
    case $command:$position in
${argumentCases(commands)}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _turnout turnout
`;
}

function flagsOf({ options }: CompletedCommand): string {
  return options.flatMap(({ flags }) => flags).join(' ');
}

/** What follows an option, the same words told once. */
function valueCases(commands: readonly CompletedCommand[]): string {
  const places = commands.flatMap(({ name, options }) =>
    options.flatMap(({ flags, value }) =>
      value === undefined
        ? []
        : flags.map((flag) => ({ place: `${name}:${flag}`, words: generator(value) })),
    ),
  );
  return [...Map.groupBy(places, ({ words }) => words)]
    .map(
      ([words, group]) =>
        `    ${group.map(({ place }) => place).join('|')})\n      COMPREPLY=($(${words}))\n      return ;;`,
    )
    .join('\n');
}

function argumentCases(commands: readonly CompletedCommand[]): string {
  return commands
    .flatMap(({ name, arguments: list }) =>
      list.flatMap((argument, position) => {
        const words = wordsOf(argument);
        return words === undefined ? [] : [`      ${name}:${position}) words=${words} ;;`];
      }),
    )
    .join('\n');
}

function wordsOf(completion: Completion): string | undefined {
  if (completion.kind === 'words') return `'${completion.words.join(' ')}'`;
  return completion.kind === 'experiments' ? `$(${LIST_EXPERIMENTS})` : undefined;
}

function generator(completion: Completion): string {
  if (completion.kind === 'files') return 'compgen -f -- "$current"';
  const words = wordsOf(completion);
  return words === undefined ? ':' : `compgen -W ${quoted(words)} -- "$current"`;
}

/** A command's output is one word list only inside double quotes. */
function quoted(words: string): string {
  return words.startsWith('$') ? `"${words}"` : words;
}
