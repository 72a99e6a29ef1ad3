/** How the command ends, for scripts. `--help` documents them. */
export const EXIT = {
  done: 0,
  /** The API refused it, the answer to a question was no, or `diff` found differences. */
  refused: 1,
  usage: 2,
  /** The API, or the edge's private port, can't be reached. */
  unreachable: 3,
  unauthorised: 4,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command can't do what it was asked; the message is a sentence that holds the fix. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** Told below the message, one a line. */
  readonly details: readonly string[];

  constructor(
    message: string,
    exitCode: ExitCode,
    { details = [], cause }: { details?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.details = details;
  }
}

/** What was typed is not what the command takes. */
export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
