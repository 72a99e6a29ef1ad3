import { Command } from 'commander';
import type { Erasure } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { addQuestionOptions, type QuestionOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { fetchVisitor, visitorPath } from './visitor-request.ts';

/** `turnout forget`: erase what is known of one visitor. */
export function forgetCommand(context: Context): Command {
  const command = new Command('forget')
    .description('Erase everything that is kept of one visitor. It can not be undone.')
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
          `Everything that is kept of ${visitor} would be erased:`,
          ...(assignments.length === 0
            ? ['  no assignment is known']
            : assignments.map(
                ({ experiment, variant, phase }) =>
                  `  ${experiment}: ${variant}, assigned in phase ${phase}`,
              )),
        ].join('\n'),
      question: 'Erase it for good?',
      hasReason: false,
      make: () => api.request<Erasure>('DELETE', visitorPath(visitor)),
      tell: ({ erased }) =>
        [
          `${visitor} is forgotten.`,
          ...Object.entries(erased).map(([what, number]) => `  ${what}: ${number}`),
        ].join('\n'),
    });
  });
}
