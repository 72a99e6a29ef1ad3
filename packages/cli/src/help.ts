/** The end of a command's help: commands to copy, each with what it does. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const told = lines.map(([command, what]) => `  # ${what}\n  turnout ${command}`);
  return `\nExamples:\n${told.join('\n')}\n`;
}

export const EXIT_CODES = `
Exit codes:
  0  done; for diff: nothing is different
  1  refused, answered with no, or for diff: something is different
  2  what was typed can't be done; for diff: trouble of any kind
  3  the API or the edge can't be reached
  4  not authorised

turnout COMMAND --help tells options and examples of a command.
`;
