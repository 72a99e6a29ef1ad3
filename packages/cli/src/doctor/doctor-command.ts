import { readFileSync } from 'node:fs';
import { parseDuration } from '@turnout/contracts/parse-duration';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ExperimentList } from '@turnout/contracts/management';
import { apiClient } from '../api-client.ts';
import { CommandError, usageError } from '../command-error.ts';
import { jsonOption, type OutputOptions } from '../command-options.ts';
import type { Context } from '../context.ts';
import { examples } from '../help.ts';
import type { PlaceOptions } from '../installation.ts';
import type { Published } from './published.ts';

interface DoctorOptions extends OutputOptions, PlaceOptions {
  readonly page?: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
}

/** Milliseconds: whoever waits longer for a page has left. */
const LONGEST_TIMEOUT = 600_000;

/** `turnout doctor`: checks a set-up before launch. */
export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .description('Check a set-up before launch: upstreams, links, assets, cookies, ledger.')
    .option('-c, --config <file>', 'configuration file', 'turnout.yaml')
    .option('--page <path>', 'a page to look at besides; may be repeated', addPage)
    .addOption(
      new Option('--timeout <time>', 'how long an answer may take')
        .argParser(readTimeout)
        .default(5_000, '5s'),
    )
    .addOption(jsonOption())
    .option('--api <url>', 'where the API is, whose experiments are looked at')
    .option('--token <token>', 'who you are to the API')
    .addHelpText(
      'after',
      `
Asks every upstream for the pages of the experiments as visitors would get them; the edge need
not run. Experiments are those of the API, if one answers and the token is at hand, and those of
the file that it does not have. Only reads (GET), and changes nothing. Ends with 1 when it finds errors; warnings do
not count. What each check looks for, and how to mend what it finds: docs/doctor.md.
${examples(
  ['doctor', 'turnout.yaml in this folder'],
  ['doctor --page /plans/1 --json', 'a page that no scope names, for scripts'],
)}`,
    )
    .action(async (options: DoctorOptions) => {
      process.exitCode = await report(read(options.config), options, context);
    });
}

async function report(source: string, options: DoctorOptions, context: Context): Promise<number> {
  const { config: file, json, page: paths = [], timeout } = options;
  const { env, terminal } = context;
  const published = await askApi(options, context);
  // They bring the parsers, which no other command needs.
  const [{ examine }, { reportJson, reportText, tallyOf }] = await Promise.all([
    import('./examination.ts'),
    import('./report.ts'),
  ]);
  let answers = 0;
  const onAnswer = (): void => terminal.progress(`${(answers += 1)} answers`);
  const examined = await examine({
    source,
    file,
    env,
    paths,
    timeout,
    onAnswer,
    ...(published !== undefined && { published }),
  });
  terminal.progress();
  terminal.print(
    json === true
      ? reportJson(examined)
      : reportText(examined, (style, words) => terminal.style(style, words)),
  );
  return tallyOf(examined).errors === 0 ? 0 : 1;
}

/**
 * What the API has; undefined where none answers, or not to this user: the file is looked at then.
 *
 * @throws {CommandError} for an API that was named, and does not answer
 */
async function askApi(options: DoctorOptions, context: Context): Promise<Published | undefined> {
  const isNamed = options.api !== undefined || Boolean(context.env['TURNOUT_API_URL']);
  try {
    const api = await apiClient(context, options);
    const { experiments } = await api.request<ExperimentList>('GET', '/v1/experiments');
    return { url: api.url, experiments: experiments.map(({ document }) => document) };
  } catch (error) {
    if (isNamed || !(error instanceof CommandError)) throw error;
    return undefined;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`Can't read the configuration: ${reason}. Name it by --config FILE.`);
  }
}

function addPage(path: string, earlier: readonly string[] = []): readonly string[] {
  if (!path.startsWith('/') || path.startsWith('//')) {
    throw new InvalidArgumentError('Expected the path of a page, such as /plans.');
  }
  return [...earlier, path];
}

function readTimeout(text: string): number {
  const length = parseDuration(text);
  if (length === undefined || length === 0 || length > LONGEST_TIMEOUT) {
    throw new InvalidArgumentError('Expected a length of time such as 500ms or 5s, up to 10m.');
  }
  return length;
}
