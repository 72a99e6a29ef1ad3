import { Command } from 'commander';
import type { History, RevisionRecord } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { addApiOptions, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { differenceWords } from './difference-words.ts';
import { experimentPath } from './experiment-request.ts';
import { examples } from './help.ts';
import { minute } from './numbers.ts';
import type { Terminal } from './terminal.ts';

/** `turnout history`: who changed what, when and why. */
export function historyCommand(context: Context): Command {
  const command = new Command('history')
    .description('Show every revision of an experiment: who changed what, when and why.')
    .argument('<key>', 'experiment')
    .addHelpText('after', examples(['history home-redesign', 'newest first']));
  return addApiOptions(command).action(async (key: string, options: ApiOptions) => {
    const { terminal } = context;
    const api = await apiClient(context, options);
    const history = await api.request<History>('GET', experimentPath(key, '/history'));
    terminal.print(
      options.json === true
        ? JSON.stringify(history, undefined, 2)
        : history.revisions.map((revision) => told(revision, terminal)).join('\n\n'),
    );
  });
}

function told(record: RevisionRecord, terminal: Terminal): string {
  const { revision, author, reason, meaning, at, diff } = record;
  const moved = meaning === 'new-visitors' ? '' : `  (${meaning})`;
  return [
    `${terminal.style('bold', `revision ${revision}`)}  ${minute(at)}  ${author}${moved}`,
    `  ${reason}`,
    ...differenceWords(diff).map((words) => `    ${words}`),
  ].join('\n');
}
