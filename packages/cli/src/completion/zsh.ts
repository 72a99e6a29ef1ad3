import { LIST_EXPERIMENTS, type CompletedCommand, type Completion } from './command-line.ts';

/** A completion script for zsh: to be sourced, or put into a folder of `$fpath` as `_turnout`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef turnout
# zsh completion for turnout: source <(turnout completion zsh)
_turnout_experiments() {
  local -a experiments=(\${(f)"$(${LIST_EXPERIMENTS})"})
  compadd -a experiments
}

_turnout() {
  local -a commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`).join('\n')}
  )
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}

if [[ $funcstack[1] == _turnout ]]; then
  _turnout "$@"
else
  compdef _turnout turnout
fi
`;
}

function commandCase({ name, options, arguments: list }: CompletedCommand): string {
  const specs = [
    ...options.flatMap(({ flags, description, value }) =>
      flags.map((flag) => {
        const told = `${flag}[${description.replaceAll(/[[\]:]/g, '\\$&')}]`;
        return quoted(value === undefined ? told : `${told}:value:${action(value)}`);
      }),
    ),
    ...list.map((argument, index) => quoted(`${index + 1}:argument:${action(argument)}`)),
  ];
  return `        ${name}) _arguments ${specs.join(' ')} ;;`;
}

function action(completion: Completion): string {
  if (completion.kind === 'words') return `(${completion.words.join(' ')})`;
  if (completion.kind === 'experiments') return '_turnout_experiments';
  return completion.kind === 'files' ? '_files' : ' ';
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
