import { Command } from 'commander';
import type { ExperimentList, ExperimentRecord } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { splitOf } from './change-report.ts';
import { addApiOptions, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { fetchExperiment } from './experiment-request.ts';
import { documentYaml } from './document-yaml.ts';
import { examples } from './help.ts';
import { minute, percentOfSlots } from './numbers.ts';
import { table } from './table.ts';

interface GetOptions extends ApiOptions {
  readonly keys?: boolean;
  readonly all?: boolean;
}

/** `turnout get`: all experiments, or one as a document. */
export function getCommand(context: Context): Command {
  const command = new Command('get')
    .description('List all experiments, or show one as a document that apply takes.')
    .argument('[key]', 'experiment')
    .option('--keys', 'only the keys, one a line')
    .option('--all', 'archived ones too')
    .addHelpText(
      'after',
      examples(
        ['get', 'every experiment in a table'],
        ['get home-redesign > home.yaml', 'one as YAML: edit it, then turnout apply -f home.yaml'],
      ),
    );
  return addApiOptions(command).action(async (key: string | undefined, options: GetOptions) => {
    const { terminal } = context;
    const api = await apiClient(context, options);
    if (key !== undefined) {
      const record = await fetchExperiment(api, key);
      return terminal.print(
        options.json === true
          ? JSON.stringify(record, undefined, 2)
          : (await documentYaml(record.document)).trimEnd(),
      );
    }
    const list = await api.request<ExperimentList>(
      'GET',
      `/v1/experiments${options.all === true ? '?archived=true' : ''}`,
    );
    if (options.json === true) return terminal.print(JSON.stringify(list, undefined, 2));
    const { experiments } = list;
    if (options.keys === true) {
      if (experiments.length > 0) terminal.print(experiments.map((one) => one.key).join('\n'));
      return;
    }
    terminal.print(
      experiments.length === 0
        ? 'There are no experiments yet. Write one down and turnout apply -f FILE.'
        : listed(experiments, terminal.columns),
    );
  });
}

/** What visitors get: the split, or the one variant that all get. */
function inForce(document: ExperimentRecord['document']): string {
  const { status, winner, variants } = document;
  if (status === 'archived') return '–';
  if (status === 'concluded') return `all ${winner ?? ''}`;
  if (status !== 'killed') return splitOf(document);
  return `all ${variants.find(({ control }) => control)?.key ?? 'control'}`;
}

function listed(experiments: readonly ExperimentRecord[], width: number | undefined): string {
  return table(
    [
      { title: 'KEY' },
      { title: 'STATUS' },
      { title: 'SPLIT', shrinks: true },
      { title: 'COVERAGE', align: 'right' },
      { title: 'PHASE', align: 'right' },
      { title: 'REVISION', align: 'right' },
      { title: 'UPDATED', shrinks: true },
      { title: 'BY', shrinks: true },
    ],
    experiments.map(({ key, document, revision, updatedAt, author }) => [
      key,
      document.status,
      inForce(document),
      percentOfSlots(document.coverage),
      String(document.phase),
      String(revision),
      minute(updatedAt),
      author,
    ]),
    width,
  );
}
