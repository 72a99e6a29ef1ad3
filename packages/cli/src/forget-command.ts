import { Command } from 'commander';
import type { Erasure } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { addQuestionOptions, type QuestionOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { fetchVisitor, visitorPath } from './visitor-request.ts';

const COOKIE = 'A browser that keeps the cookie comes back under this id: have it deleted there.';

/** What the API counts, in words. */
const ERASED: Readonly<Record<string, string>> = {
  assignments: 'assignments in the ledger',
  signUps: 'visitor ids in sign-ups',
};

/** `turnout forget`: erase what is known of one visitor. */
export function forgetCommand(context: Context): Command {
  const command = new Command('forget')
    .description(
      'Erase a visitor: assignments, and the visitor id wherever it was stored. It can not be undone.',
    )
    .argument(
      '<visitor>',
      'visitor id, the second part of the cookie; one that begins with - goes behind --',
    )
    .addHelpText(
      'after',
      examples(['forget 3q2-7wAAAAAAAAAAAAAAAA', 'as a visitor has asked for']),
    );
  return addQuestionOptions(command).action(async (visitor: string, options: QuestionOptions) => {
    const api = await apiClient(context, options);
    await makeChange(context, options, {
      plan: () => fetchVisitor(api, visitor),
      show: ({ assignments }) =>
        [
          `Of ${visitor} would be erased, for good:`,
          ...(assignments.length === 0
            ? ['  no assignment: the ledger knows of none']
            : assignments.map(
                ({ experiment, variant, phase }) =>
                  `  the assignment to ${variant} of ${experiment}, phase ${phase}`,
              )),
          '  the visitor id in sign-ups, exposures and test results; these stay, as nobody’s',
          COOKIE,
        ].join('\n'),
      question: `Forget ${visitor}?`,
      hasReason: false,
      make: () => api.request<Erasure>('DELETE', visitorPath(visitor)),
      tell: ({ erased }) =>
        [
          `${visitor} is forgotten. Erased:`,
          ...Object.entries(erased).map(([what, number]) => `  ${ERASED[what] ?? what}: ${number}`),
        ].join('\n'),
    });
  });
}
