import { Command } from 'commander';
import type { Erasure } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { fetchVisitor, visitorPath } from './visitor-request.ts';

/** `turnout forget`: erase what is known of one visitor. */
export function forgetCommand(context: Context): Command {
  const command = new Command('forget')
    .description('Erase everything that is kept of one visitor. It can not be undone.')
    .argument('<visitor>', 'visitor id: the second part of the visitor cookie')
    .addHelpText(
      'after',
      examples(['forget 3q2-7wAAAAAAAAAAAAAAAA --reason "request 4711"', 'a request for erasure']),
    );
  return addChangeOptions(command).action(async (visitor: string, options: ChangeOptions) => {
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
      make: (reason) => api.request<Erasure>('DELETE', visitorPath(visitor), { reason }),
      tell: ({ erased }) =>
        [
          `${visitor} is forgotten.`,
          ...Object.entries(erased).map(([what, number]) => `  ${what}: ${number}`),
        ].join('\n'),
    });
  });
}
