import type { Change, statusChangeSchema } from '@turnout/contracts/management';
import type { z } from 'zod';
import { apiClient } from './api-client.ts';
import { showChange, tellChange } from './change-report.ts';
import type { ChangeOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { experimentPath, fetchExperiment } from './experiment-request.ts';
import { makeChange } from './make-change.ts';

type StatusChange = z.input<typeof statusChangeSchema>;

/** Gives an experiment another status, as it was seen when this was asked for. */
export async function changeStatus(
  context: Context,
  key: string,
  options: ChangeOptions,
  change: Pick<StatusChange, 'status' | 'winner'> & { readonly question: string },
): Promise<void> {
  const { question, ...status } = change;
  const api = await apiClient(context, options);
  const { revision } = await fetchExperiment(api, key);
  const send = (reason: string, dryRun: boolean) =>
    api.request<Change>('POST', experimentPath(key, '/status'), {
      ...status,
      revision,
      reason,
      dryRun,
    } satisfies StatusChange);
  await makeChange(context, options, {
    plan: () => send(options.reason ?? 'dry run', true),
    show: showChange,
    question,
    make: (reason) => send(reason, false),
    tell: tellChange,
  });
}
