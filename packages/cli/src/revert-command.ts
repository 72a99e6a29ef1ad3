import { Command } from 'commander';
import type { Change, revertSchema } from '@turnout/contracts/management';
import type { z } from 'zod';
import { apiClient } from './api-client.ts';
import { showChange, tellChange } from './change-report.ts';
import { addChangeOptions, meaningOption, type MeaningOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { experimentPath, fetchExperiment } from './experiment-request.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { parseRevision } from './revision.ts';

interface RevertOptions extends MeaningOptions {
  readonly to?: number;
}

/** `turnout revert`: back to an earlier revision, as a new one. */
export function revertCommand(context: Context): Command {
  const command = new Command('revert')
    .description('Make an experiment what it was before its last change, or at a revision.')
    .argument('<key>', 'experiment')
    .option('--to <revision>', 'the revision to go back to', parseRevision)
    .addOption(meaningOption())
    .addHelpText(
      'after',
      examples(
        ['revert home-redesign', 'undo the last change'],
        ['revert home-redesign --to 3', 'as at revision 3; it becomes a new revision'],
      ),
    );
  return addChangeOptions(command).action(async (key: string, options: RevertOptions) => {
    const api = await apiClient(context, options);
    const { revision } = await fetchExperiment(api, key);
    const send = (reason: string, dryRun: boolean) =>
      api.request<Change>('POST', experimentPath(key, '/revert'), {
        revision,
        ...(options.to !== undefined && { to: options.to }),
        reason,
        meaning: options.meaning,
        dryRun,
      } satisfies z.input<typeof revertSchema>);
    await makeChange(context, options, {
      plan: () => send(options.reason ?? 'dry run', true),
      show: showChange,
      question: `Revert ${key}?`,
      make: (reason) => send(reason, false),
      tell: tellChange,
    });
  });
}
