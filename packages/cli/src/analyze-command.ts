import { Command, Option } from 'commander';
import type { Counts } from '@turnout/stats';
import { readArm } from './analysis/arm-option.ts';
import { CommandError, EXIT, usageError } from './command-error.ts';
import { jsonOption, type OutputOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { examples } from './help.ts';
import type { Terminal } from './terminal.ts';

interface AnalyzeOptions extends OutputOptions {
  readonly arm: readonly ReturnType<typeof readArm>[];
  readonly control?: string;
  readonly alpha?: number;
  readonly kappa?: number;
  readonly plan?: NonNullable<Counts['plan']>['kind'];
  readonly plannedVisitors?: number;
  readonly minimumLift?: number;
  readonly visitorsPerDay?: number;
  readonly despiteSplit?: boolean;
}

// As in the package, which is not loaded for them.
const PLANS = ['hybrid', 'open-ended', 'fixed'] as const satisfies NonNullable<
  Counts['plan']
>['kind'][];

/** `turnout analyze`: what counts from anywhere say. */
export function analyzeCommand({ terminal }: Context): Command {
  return new Command('analyze')
    .description(
      'Tell what counts from anywhere say: given by --arm, or as JSON on standard input.',
    )
    .option(
      '--arm <key=weight:visitors:conversions>',
      'a group of visitors; once for each',
      (text, before: readonly ReturnType<typeof readArm>[]) => [...before, readArm(text)],
      [],
    )
    .option('--control <key>', 'what the others are compared with; the first arm unless given')
    .option('--alpha <share>', 'how much error may be made in all; 0.05 unless given', readNumber)
    .option('--kappa <conversions>', 'how much the prior weighs; 100 unless given', readNumber)
    .addOption(
      new Option('--plan <kind>', 'when it may be called; open-ended unless given').choices(PLANS),
    )
    .option('--planned-visitors <number>', 'at which the plan takes its single look', readNumber)
    .option('--minimum-lift <share>', 'the smallest lift worth finding, such as 0.1', readNumber)
    .option('--visitors-per-day <number>', 'at present, to tell the days left', readNumber)
    .option('--despite-split', 'tell the verdict although visitors are not split as planned')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Options come before what stands in the JSON. docs/statistics.md tells its names, and those of --json.
${examples(
  ['analyze --arm old=50:10000:500 --arm new=50:10000:610', 'is the new one better?'],
  ['analyze --json < counts.json', 'every figure at full precision'],
)}`,
    )
    .action(async (options: AnalyzeOptions) => {
      // Statistics and schemas take a while to load: no other command needs them.
      const { analyze } = await import('@turnout/stats');
      const counts = withOptions(await readInput(options, terminal), options);
      const analysis = answered(() => analyze(counts));
      if (options.json === true) return terminal.print(JSON.stringify(analysis, undefined, 2));
      const { showAnalysis } = await import('./analysis/report.ts');
      const despiteSplit = options.despiteSplit === true;
      terminal.print(showAnalysis(analysis, terminal, { despiteSplit }));
    });
}

/** @throws {CommandError} for counts that can't be, with each problem on a line of its own */
function answered<Answer>(analyze: () => Answer): Answer {
  try {
    return analyze();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CommandError("The counts can't be analysed:", EXIT.usage, {
      details: error.message.split('\n'),
      cause: error,
    });
  }
}

async function readInput({ arm }: AnalyzeOptions, terminal: Terminal): Promise<Counts> {
  if (arm.length > 0) return { arms: arm };
  if (terminal.isInteractive) {
    throw usageError(
      'Expected arms, such as --arm old=50:10000:500 --arm new=50:10000:610, or JSON on standard input.',
    );
  }
  const source = await terminal.readInput();
  const [{ readCounts }, { ConfigError }] = await Promise.all([
    import('@turnout/contracts/counts'),
    import('@turnout/contracts'),
  ]);
  try {
    return readCounts(source, 'standard input');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(error.message, EXIT.usage, { cause: error });
  }
}

/** The counts with what the options say of them. */
function withOptions(counts: Counts, options: AnalyzeOptions): Counts {
  const { plannedVisitors, minimumLift, visitorsPerDay } = options;
  const kind =
    options.plan ?? counts.plan?.kind ?? (plannedVisitors === undefined ? undefined : 'hybrid');
  return {
    ...counts,
    control: options.control ?? counts.control,
    alpha: options.alpha ?? counts.alpha,
    kappa: options.kappa ?? counts.kappa,
    plan:
      kind === undefined
        ? undefined
        : {
            ...counts.plan,
            kind,
            plannedVisitors: plannedVisitors ?? counts.plan?.plannedVisitors,
          },
    power: {
      ...counts.power,
      minimumLift: minimumLift ?? counts.power?.minimumLift,
      visitorsPerDay: visitorsPerDay ?? counts.power?.visitorsPerDay,
    },
  };
}

function readNumber(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(number)) throw usageError(`Expected a number, got "${text}".`);
  return number;
}
