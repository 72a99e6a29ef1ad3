import { Command } from 'commander';
import type { History, RevisionRecord } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { addApiOptions, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { differenceWords } from './difference-words.ts';
import { experimentPath } from './experiment-request.ts';
import { examples } from './help.ts';
import { minute } from './numbers.ts';
import { parseRevision } from './revision.ts';
import type { Terminal } from './terminal.ts';

interface HistoryOptions extends ApiOptions {
  readonly before?: number;
}

/** `turnout history`: who changed what, when and why. */
export function historyCommand(context: Context): Command {
  const command = new Command('history')
    .description('Show every revision of an experiment: who changed what, when and why.')
    .argument('<key>', 'experiment')
    .option('--before <revision>', 'only older ones', parseRevision)
    .addHelpText(
      'after',
      examples(
        ['history home-redesign', 'newest first, at most 100'],
        ['history home-redesign --before 101', 'and those before them'],
      ),
    );
  return addApiOptions(command).action(async (key: string, options: HistoryOptions) => {
    const { terminal } = context;
    const api = await apiClient(context, options);
    const { before, json = false } = options;
    const page = before === undefined ? '' : `?before=${before}`;
    const history = await api.request<History>('GET', experimentPath(key, `/history${page}`));
    if (json) return terminal.print(JSON.stringify(history, undefined, 2));
    const { revisions } = history;
    const oldest = revisions.at(-1)?.revision ?? 1;
    terminal.print(
      [
        ...revisions.map((revision) => told(revision, terminal)),
        ...(revisions.length === 0 ? ['There are no older revisions.'] : []),
        ...(oldest > 1 ? [`Older ones: turnout history ${key} --before ${oldest}`] : []),
      ].join('\n\n'),
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
