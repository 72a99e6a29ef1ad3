import type { ChangeOptions } from './command-options.ts';
import { CommandError, EXIT, usageError } from './command-error.ts';
import type { Context } from './context.ts';

/** One change, from what it would do to what it did. */
export interface ChangeSteps<Plan, Answer> {
  /** Asks the API what would change; changes nothing. */
  plan(): Promise<Plan>;
  /** What would change, for people; undefined when nothing would. */
  show(plan: Plan): string | undefined;
  /** Such as `Pause home-redesign?`. */
  readonly question: string;
  /** Whether somebody is to say why. Default: yes. */
  readonly hasReason?: boolean;
  /** @param reason empty where there is to be none */
  make(reason: string, plan: Plan): Promise<Answer>;
  /** What has changed, for people. */
  tell(answer: Answer): string;
}

const ASK_REASON = 'Why? It stands in the history: ';
const REASON = 'Expected --reason TEXT: why is this changed? It stands in the history.';

/**
 * Shows what would change, asks, and changes it. With `--yes` nothing is asked; without it
 * somebody must be there to answer.
 *
 * @throws {CommandError} when the answer is no, or a question can't be asked
 */
export async function makeChange<Plan, Answer>(
  { terminal, signal }: Context,
  options: ChangeOptions,
  steps: ChangeSteps<Plan, Answer>,
): Promise<void> {
  const { yes = false, dryRun = false, json = false } = options;
  const { hasReason = true } = steps;
  if (!dryRun && !terminal.isInteractive) {
    if (!yes) {
      throw usageError(
        'This needs an answer, and there is no terminal to ask on: add --yes to do it, or --dry-run to see what it would do.',
      );
    }
    if (hasReason && options.reason === undefined) throw usageError(REASON);
  }
  // Standard output belongs to the answer when a script reads it.
  const say = (words: string) => (json ? terminal.warn(words) : terminal.print(words));
  const answerWith = (value: unknown, words: string) =>
    terminal.print(json ? JSON.stringify(value, undefined, 2) : words);

  const plan = await steps.plan();
  const shown = steps.show(plan);
  if (shown === undefined) return answerWith(plan, 'Nothing would change.');
  if (dryRun) return answerWith(plan, `${shown}\n\nNothing was changed: this was a dry run.`);
  say(`${shown}\n`);

  if (!yes && !isYes(await terminal.ask(`${steps.question} [y/N] `))) {
    throw new CommandError('Nothing was changed.', EXIT.refused);
  }
  // Only of whoever goes on: nobody says why for nothing.
  const reason = hasReason ? (options.reason ?? (await terminal.ask(ASK_REASON))).trim() : '';
  if (hasReason && reason === '') throw usageError(`${REASON} Nothing was changed.`);
  try {
    const answer = await steps.make(reason, plan);
    answerWith(answer, steps.tell(answer));
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CommandError(
      'Interrupted while the change was made: it may have been. Look with turnout history.',
      EXIT.interrupted,
      { cause: error },
    );
  }
}

function isYes(answer: string): boolean {
  return /^y(es)?$/i.test(answer.trim());
}
