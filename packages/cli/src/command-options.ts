import { Option, type Command } from 'commander';
import type { Meaning } from '@turnout/contracts/management';
import type { PlaceOptions } from './installation.ts';

/** Options of every command that answers with something. */
export interface OutputOptions {
  readonly json?: boolean;
}

/** Options of every command that asks the API. */
export interface ApiOptions extends OutputOptions, PlaceOptions {}

/** Options of every command that asks before it does something. */
export interface QuestionOptions extends ApiOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Options of every command whose change stands in the history, or in the audit, with a reason. */
export interface ChangeOptions extends QuestionOptions {
  readonly reason?: string;
}

/** Options of every command that may change what assigned visitors get. */
export interface MeaningOptions extends ChangeOptions {
  readonly meaning?: Meaning;
}

// As in the contract, which is not loaded for them: it would double the time of a start.
const MEANINGS = ['new-visitors', 'move-fewest', 'new-phase'] as const satisfies Meaning[];

export function jsonOption(): Option {
  return new Option('--json', 'print the whole answer as JSON, and nothing else');
}

export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration, whose data folder is looked in').default(
    'turnout.yaml',
  );
}

export function addApiOptions(command: Command): Command {
  return command
    .addOption(jsonOption())
    .addOption(new Option('--api <url>', 'where the API is'))
    .addOption(new Option('--token <token>', 'who you are to the API'))
    .addOption(configOption());
}

export function addQuestionOptions(command: Command): Command {
  return addApiOptions(
    command.option('-y, --yes', 'do not ask').option('--dry-run', 'only show what would change'),
  );
}

export function addChangeOptions(command: Command): Command {
  return addQuestionOptions(
    command.option('--reason <text>', 'why this is changed; stands in the history'),
  );
}

export function meaningOption(): Option {
  return new Option(
    '--meaning <meaning>',
    'what it means for visitors who are assigned already',
  ).choices(MEANINGS);
}
