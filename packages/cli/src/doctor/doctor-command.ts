import { readFileSync } from 'node:fs';
import { durationSchema } from '@turnout/contracts/duration';
import { Command, InvalidArgumentError, Option } from 'commander';

interface DoctorOptions {
  readonly config: string;
  readonly json?: true;
  readonly page?: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
}

/** The exit code of a command line, or a file, that can't be read. */
const USAGE = 2;

/** `turnout doctor`: checks a set-up before launch. */
export function doctorCommand(env: Readonly<Record<string, string | undefined>>): Command {
  return new Command('doctor')
    .description('Check a set-up before launch: upstreams, links, assets, cookies, ledger.')
    .option('-c, --config <file>', 'configuration file', 'turnout.yaml')
    .option('--json', 'the report for scripts')
    .option('--page <path>', 'a page to look at, such as /plans/1; can be repeated', addPage)
    .addOption(
      new Option('--timeout <time>', 'how long an answer may take')
        .argParser(readTimeout)
        .default(5_000, '5s'),
    )
    .addHelpText(
      'after',
      `
Asks every upstream for the pages of the experiments as visitors would get them; the edge need
not run. Only reads (GET), and changes nothing. What each check looks for, and how to mend
what it finds: docs/doctor.md.

Exit code: 0 without errors (there may be warnings), 1 with errors, 2 when the command line or
the file can't be read.
`,
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : USAGE))
    .action(async (options: DoctorOptions, command: Command) => {
      const source = read(options.config, command);
      process.exitCode = await report(source, options, env);
    });
}

async function report(
  source: string,
  { config: file, json, page: paths = [], timeout }: DoctorOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  // They bring the parsers, which no other command needs.
  const [{ examine }, { reportJson, reportText, tallyOf }] = await Promise.all([
    import('./examination.ts'),
    import('./report.ts'),
  ]);
  const progress = createProgress(process.stderr);
  const examined = await examine({
    source,
    file,
    env,
    paths,
    timeout,
    onAnswer: () => progress.step(),
  });
  progress.end();
  process.stdout.write(
    json === true
      ? reportJson(examined)
      : reportText(examined, process.stdout.hasColors?.() ?? false),
  );
  return tallyOf(examined).errors === 0 ? 0 : 1;
}

function read(file: string, command: Command): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return command.error(`Can't read the configuration: ${reason}. Name it by --config FILE.`);
  }
}

function addPage(path: string, earlier: readonly string[] = []): readonly string[] {
  if (!path.startsWith('/') || path.startsWith('//')) {
    throw new InvalidArgumentError('Expected the path of a page, such as /plans.');
  }
  return [...earlier, path];
}

function readTimeout(text: string): number {
  const { success, data } = durationSchema.safeParse(text);
  if (!success || data === 0) {
    throw new InvalidArgumentError('Expected a length of time such as 500ms or 5s.');
  }
  return data;
}

/** How far it is, in a line that is written over; nothing but on a terminal. */
function createProgress(terminal: NodeJS.WriteStream): { step(): void; end(): void } {
  let answers = 0;
  const write = (text: string): void => {
    if (terminal.isTTY) terminal.write(`\r\u001B[K${text}`);
  };
  return {
    step: () => write(`${(answers += 1)} answers`),
    end: () => write(''),
  };
}
