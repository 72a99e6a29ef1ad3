import { Command, Option } from 'commander';
import type { RampState, rampRequestSchema } from '@turnout/contracts/ramp';
import { coverageToRollBackTo } from '@turnout/contracts/ramp-roll-back';
import type { z } from 'zod';
import { apiClient, type JsonClient } from './api-client.ts';
import { addChangeOptions, type ChangeOptions } from './command-options.ts';
import { usageError } from './command-error.ts';
import type { Context } from './context.ts';
import { experimentPath, fetchExperiment } from './experiment-request.ts';
import { examples } from './help.ts';
import { makeChange } from './make-change.ts';
import { percentOfSlots } from './numbers.ts';
import { isUnderWay, showRamp, showStop } from './ramp-report.ts';
import { parseSteps } from './ramp-steps.ts';

interface RampOptions extends ChangeOptions {
  readonly status?: boolean;
  readonly stop?: boolean;
  readonly minimumRequests?: number;
  readonly errorRate?: number;
  readonly firstByte?: number;
  readonly sampleRatio?: number;
}

/** `turnout ramp`: more and more coverage, while the variants do no worse than control. */
export function rampCommand(context: Context): Command {
  const command = new Command('ramp')
    .description(
      'Raise the coverage step by step, each only if no variant does worse than control.',
    )
    .argument('<key>', 'experiment')
    .argument('[steps...]', 'percentages, each with the time that it lasts at least: 1%:1h 100%')
    .addOption(new Option('--status', 'show how far the ramp is, and why').conflicts('stop'))
    .option('--stop', 'end the ramp: the coverage stays as it is, and no gate watches it')
    .option('--minimum-requests <count>', 'answers of a variant before gates judge it', number)
    .option('--error-rate <points>', 'percentage points of 5xx above control that fail', number)
    .option('--first-byte <times>', "times control's time to first byte (p95) that fail", number)
    .option('--sample-ratio <p>', 'p below which the split is not the planned one', number)
    .addHelpText(
      'after',
      `
The API walks the steps by itself: forward when a step has lasted and every gate passes, back
to the coverage before when one fails. Every step is a revision.
${examples(
  ['ramp home-redesign 1%:1h 5%:1h 20%:6h 100% --reason launch', 'begin'],
  ['ramp home-redesign --status', 'how far is it, and why?'],
  ['ramp home-redesign --stop', 'end it, and keep the coverage'],
)}`,
    );
  return addChangeOptions(command).action(
    async (key: string, given: string[], options: RampOptions) => {
      const isStart = options.status !== true && options.stop !== true;
      if (isStart === (given.length === 0)) {
        throw usageError(
          'Expected steps such as 1%:1h 5%:1h 20%:6h 100%, or either --status or --stop.',
        );
      }
      const steps = parseSteps(given);
      const api = await apiClient(context, options);
      if (options.status === true) return status(context, api, key, options);
      if (options.stop === true) return stop(context, api, key, options);
      return start(context, api, key, { ...options, steps });
    },
  );
}

async function status(
  { terminal }: Context,
  api: JsonClient,
  key: string,
  { json = false }: ChangeOptions,
): Promise<void> {
  const state = await api.request<RampState>('GET', experimentPath(key, '/ramp'));
  terminal.print(json ? JSON.stringify(state, undefined, 2) : showRamp(state, terminal));
}

async function stop(
  context: Context,
  api: JsonClient,
  key: string,
  options: ChangeOptions,
): Promise<void> {
  await makeChange<RampState, RampState>(context, options, {
    plan: () => api.request('GET', experimentPath(key, '/ramp')),
    show: (state) => (isUnderWay(state) ? showStop(state) : undefined),
    question: `End the ramp of ${key}?`,
    hasReason: false,
    make: () => api.request('DELETE', experimentPath(key, '/ramp')),
    tell: (state) => showRamp(state, context.terminal),
  });
}

async function start(
  context: Context,
  api: JsonClient,
  key: string,
  options: RampOptions & { readonly steps: ReturnType<typeof parseSteps> },
): Promise<void> {
  const { steps, minimumRequests, errorRate, firstByte, sampleRatio } = options;
  await makeChange(context, options, {
    plan: () => fetchExperiment(api, key),
    show: ({ document: { coverage, status: now } }) =>
      [
        `${key} is ${now} with a coverage of ${percentOfSlots(coverage)}. It would go to`,
        ...inWords(steps).map((words) => `  ${words}`),
        ...(lowers(coverage, steps) ? [LOWERS] : []),
        `and back to ${percentOfSlots(coverageToRollBackTo(coverage, steps))} if a variant does worse than control.`,
      ].join('\n'),
    question: `Start the ramp of ${key}?`,
    make: (reason, { revision }) =>
      api.request<RampState>('PUT', experimentPath(key, '/ramp'), {
        steps,
        gates: {
          ...(minimumRequests !== undefined && { minimumRequests }),
          ...(errorRate !== undefined && { errorRate }),
          ...(firstByte !== undefined && { firstByte }),
          ...(sampleRatio !== undefined && { sampleRatio }),
        },
        revision,
        reason,
      } satisfies z.input<typeof rampRequestSchema>),
    tell: (state) => showRamp(state, context.terminal),
  });
}

const LOWERS =
  'This LOWERS the coverage at first: assigned visitors who fall out of it get control until it is back.';

function lowers(coverage: number, [first]: ReturnType<typeof parseSteps>): boolean {
  return first !== undefined && first.coverage < coverage;
}

/** What stands in the request is a text; what the API answers is in milliseconds. */
function inWords(steps: ReturnType<typeof parseSteps>): string[] {
  return steps.map(({ coverage, for: time }) =>
    time === undefined ? percentOfSlots(coverage) : `${percentOfSlots(coverage)} for ${time}`,
  );
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw usageError(`Expected a number, got "${text}".`);
}
