import { Command } from 'commander';
import type { ApplyResult } from '@turnout/contracts/management';
import { apiClient } from './api-client.ts';
import { prepareApply } from './apply-request.ts';
import { showChanges, tellChange } from './change-report.ts';
import { addChangeOptions, meaningOption, type MeaningOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { readExperimentFile, tellOthers } from './experiment-file.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';

interface ApplyOptions extends MeaningOptions {
  readonly file: string;
}

/** `turnout apply`: experiments become what a file says, all or none. */
export function applyCommand(context: Context): Command {
  const command = new Command('apply')
    .description('Make experiments what a file says, all of them or none.')
    .requiredOption(
      '-f, --file <file>',
      'a turnout.yaml, or one experiment or a list as YAML or JSON; - is standard input',
    )
    .addOption(meaningOption())
    .addHelpText(
      'after',
      `
Experiments that the file does not name stay as they are, and what it says besides experiments
is not applied. weight is in percent; coverage in slots of 0.01 %: 100 is 1 %, 5000 is 50 %. A document that names its
revision, as get writes it, is refused if another change came first.
${examples(
  ['apply -f turnout.yaml --reason "from the repository" --yes', 'in a pipeline'],
  ['get home-redesign | sed s/running/paused/ | turnout apply -f - -y --reason sale', 'in a pipe'],
)}`,
    );
  return addChangeOptions(command).action(async (options: ApplyOptions) => {
    const file = await readExperimentFile(options.file, context.terminal);
    const others = tellOthers(file);
    if (others !== undefined) context.terminal.warn(others);
    const send = await prepareApply(await apiClient(context, options), file, options.meaning);
    await makeChange<ApplyResult, ApplyResult>(context, options, {
      plan: () => send(options.reason ?? 'dry run', true),
      show: ({ changes }) => showChanges(changes),
      question: `Apply ${options.file}?`,
      make: (reason) => send(reason, false),
      tell: ({ changes }) => changes.map((change) => tellChange(change)).join('\n'),
    });
  });
}
