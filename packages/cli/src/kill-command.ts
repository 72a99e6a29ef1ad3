import { Command } from 'commander';
import type { Change, statusChangeSchema } from '@turnout/contracts/management';
import type { z } from 'zod';
import { apiClient } from './api-client.ts';
import { showChange, tellChange } from './change-report.ts';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { experimentPath } from './experiment-request.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';

/** `turnout kill`: all get control, now. For an emergency, so it looks at no revision. */
export function killCommand(context: Context): Command {
  const command = new Command('kill')
    .description('Give control to all visitors of an experiment, now.')
    .argument('<key>', 'experiment')
    .addHelpText('after', examples(['kill home-redesign -y', 'at once']));
  return addChangeOptions(command).action(async (key: string, given: ChangeOptions) => {
    const options = { ...given, reason: given.reason ?? 'killed by hand' };
    const api = await apiClient(context, options);
    const send = (dryRun: boolean) =>
      api.request<Change>('POST', experimentPath(key, '/status'), {
        status: 'killed',
        reason: options.reason,
        dryRun,
      } satisfies z.input<typeof statusChangeSchema>);
    // Nothing to look at, nothing to ask: one request.
    if (options.yes === true && options.dryRun !== true) {
      const change = await send(false);
      const words =
        options.json === true ? JSON.stringify(change, undefined, 2) : tellChange(change);
      return context.terminal.print(words);
    }
    return makeChange(context, options, {
      plan: () => send(true),
      show: showChange,
      question: `Give control to all visitors of ${key}, now?`,
      make: () => send(false),
      tell: tellChange,
    });
  });
}
