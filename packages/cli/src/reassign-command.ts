import { Command } from 'commander';
import type { VisitorAssignments, reassignmentSchema } from '@turnout/contracts/management';
import type { z } from 'zod';
import { apiClient } from './api-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { fetchExperiment } from './experiment-request.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { fetchVisitor, visitorPath } from './visitor-request.ts';

/** `turnout reassign`: another variant for one visitor. */
export function reassignCommand(context: Context): Command {
  const command = new Command('reassign')
    .description('Give one visitor another variant of an experiment.')
    .argument(
      '<visitor>',
      'visitor id, the second part of the cookie; one that begins with - goes behind --',
    )
    .argument('<experiment>', 'experiment')
    .argument('<variant>', 'the variant from now on')
    .addHelpText(
      'after',
      examples([
        'reassign 3q2-7wAAAAAAAAAAAAAAAA home-redesign control --reason "asked for the old page"',
        'one visitor back to control',
      ]),
    );
  return addChangeOptions(command).action(
    async (visitor: string, experiment: string, variant: string, options: ChangeOptions) => {
      const api = await apiClient(context, options);
      const variantOf = ({ assignments }: VisitorAssignments) =>
        assignments.find((one) => one.experiment === experiment)?.variant ?? 'none';
      await makeChange(context, options, {
        async plan() {
          const { document } = await fetchExperiment(api, experiment);
          const keys = document.variants.map(({ key }) => key);
          if (!keys.includes(variant)) {
            throw new CommandError(
              `${experiment} has no variant "${variant}"; there are ${keys.join(', ')}.`,
              EXIT.refused,
            );
          }
          return fetchVisitor(api, visitor);
        },
        show: (now) =>
          variantOf(now) === variant
            ? undefined
            : `${visitor}\n  ${experiment}: ${variantOf(now)} → ${variant}`,
        question: `Give ${variant} to this visitor?`,
        make: (reason) =>
          api.request<VisitorAssignments>(
            'PUT',
            visitorPath(visitor, `/assignments/${encodeURIComponent(experiment)}`),
            { variant, reason } satisfies z.input<typeof reassignmentSchema>,
          ),
        tell: (now) => `${visitor} has ${variantOf(now)} of ${experiment} now.`,
      });
    },
  );
}
