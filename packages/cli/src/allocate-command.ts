import { Command } from 'commander';
import type { Change, allocationSchema } from '@turnout/contracts/management';
import type { z } from 'zod';
import { apiClient } from './api-client.ts';
import { showChange, tellChange } from './change-report.ts';
import { addChangeOptions, meaningOption, type MeaningOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { experimentPath, fetchExperiment } from './experiment-request.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { parseWeights } from './weights.ts';

/** `turnout allocate`: other weights. */
export function allocateCommand(context: Context): Command {
  const command = new Command('allocate')
    .description('Change the weights of variants.')
    .argument('<key>', 'experiment')
    .argument('<weights...>', 'every variant with its percentage, such as control=50 A=20 B=30')
    .addOption(meaningOption())
    .addHelpText(
      'after',
      examples(
        ['allocate home-redesign control=50 A=20 B=30', 'who is assigned stays (new-visitors)'],
        [
          'allocate home-redesign control=20 A=40 B=40 --meaning move-fewest --dry-run',
          'see first who would move',
        ],
      ),
    );
  return addChangeOptions(command).action(
    async (key: string, texts: string[], options: MeaningOptions) => {
      const weights = parseWeights(texts);
      const api = await apiClient(context, options);
      const { revision } = await fetchExperiment(api, key);
      const send = (reason: string, dryRun: boolean) =>
        api.request<Change>('POST', experimentPath(key, '/allocation'), {
          weights,
          revision,
          reason,
          meaning: options.meaning,
          dryRun,
        } satisfies z.input<typeof allocationSchema>);
      await makeChange(context, options, {
        plan: () => send(options.reason ?? 'dry run', true),
        show: showChange,
        question: `Change the weights of ${key}?`,
        make: (reason) => send(reason, false),
        tell: tellChange,
      });
    },
  );
}
