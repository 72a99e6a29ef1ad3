import { parseArgs } from 'node:util';
import { CONTENDERS, type ContenderName } from './contenders.ts';

/** What visitors come with: a cookie from before, or nothing. */
const SCENARIOS = ['returning', 'first'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Settings {
  readonly rounds: number;
  /** Seconds for each contender in each round. */
  readonly duration: number;
  readonly connections: number;
  readonly scenarios: readonly Scenario[];
  readonly contenders: readonly ContenderName[];
  /** Where the figures go, as JSON. */
  readonly json: string | undefined;
}

/** A command line that can't be run; the message says what to change. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `Usage: pnpm bench [options]

Drives the edge with the demo's experiment, and the same job done on http-proxy-3, with
autocannon; prints requests/s, latency and CPU time of each.

  --rounds N        rounds, each of all contenders (6)
  --duration S      seconds for each contender in each round (2)
  --connections N   connections that requests come over, one at a time on each (64)
  --scenario NAME   only one of: ${SCENARIOS.join(', ')}
  --only NAME       only this contender, may be given again: ${CONTENDERS.join(', ')}
  --json FILE       write all figures, with facts of the machine
  --help            this text
`;

/**
 * @param args the command line after the script
 * @returns 'help' when that is asked for
 * @throws {UsageError} for what can't be understood
 */
export function parseArguments(args: readonly string[]): Settings | 'help' {
  // pnpm passes on the `--` that npm needs.
  const values = parse(args[0] === '--' ? args.slice(1) : args);
  if (values.help === true) return 'help';
  return {
    rounds: whole('--rounds', values.rounds, 1_000),
    duration: whole('--duration', values.duration, 3_600),
    connections: whole('--connections', values.connections, 1_000),
    scenarios:
      values.scenario === undefined ? SCENARIOS : [oneOf('--scenario', values.scenario, SCENARIOS)],
    contenders:
      values.only === undefined
        ? CONTENDERS
        : [...new Set(values.only.map((name) => oneOf('--only', name, CONTENDERS)))],
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string', default: '6' },
        duration: { type: 'string', default: '2' },
        connections: { type: 'string', default: '64' },
        scenario: { type: 'string' },
        only: { type: 'string', multiple: true },
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function whole(option: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new UsageError(`Expected ${option} to be a whole number from 1 to ${max}, got "${text}"`);
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`Expected ${option} to be one of ${names.join(', ')}, got "${text}"`);
}
