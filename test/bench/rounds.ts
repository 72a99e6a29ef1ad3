import type { Contender } from './contenders.ts';
import { cpuOfTree } from './cpu.ts';
import type { Sample, Series } from './figures.ts';
import type { BenchProcess } from './bench-process.ts';
import { drive } from './load.ts';
import { shuffled, type Random } from './shuffle.ts';

/** A contender, and what its visitors send. */
export interface Entrant {
  readonly contender: Contender;
  /** `name=value`; none for first visits. */
  readonly cookies: readonly string[];
}

export interface RoundsOptions {
  readonly load: BenchProcess;
  readonly entrants: readonly Entrant[];
  readonly rounds: number;
  /** Seconds. */
  readonly duration: number;
  readonly connections: number;
  readonly random: Random;
  /** Told before each round, from 1. */
  readonly onRound: (round: number) => void;
}

/** Enough for the code to be compiled and the pools to be filled, in seconds. */
const WARM_UP = 2;

/**
 * Warms every entrant up, then measures all of them in each round, in an order of its own:
 * what the machine does meanwhile falls on none in particular.
 */
export async function playRounds(options: RoundsOptions): Promise<Series[]> {
  const { entrants, rounds, random, onRound, duration } = options;
  const warmUp = Math.min(duration, WARM_UP);
  for (const entrant of entrants) await measure(entrant, { ...options, duration: warmUp });
  const samples = new Map(entrants.map((entrant): [Entrant, Sample[]] => [entrant, []]));
  for (let round = 1; round <= rounds; round++) {
    onRound(round);
    for (const entrant of shuffled(entrants, random)) {
      samples.get(entrant)?.push(await measure(entrant, { ...options, duration }));
    }
  }
  return entrants.map((entrant) => ({
    contender: entrant.contender.name,
    samples: samples.get(entrant) ?? [],
  }));
}

async function measure(
  { contender, cookies }: Entrant,
  { load, connections, duration }: Pick<RoundsOptions, 'load' | 'connections' | 'duration'>,
): Promise<Sample> {
  const { url, process } = contender;
  await contender.tidy();
  const before = await cpuOfTree(process.pid);
  const result = await Promise.race([
    drive(load, { url, cookies, connections, duration }),
    process.died,
  ]);
  const cpu = (await cpuOfTree(process.pid)) - before;
  return {
    requests: result.requests,
    requestsPerSecond: result.requests / result.seconds,
    p50: result.p50,
    p99: result.p99,
    cpu: cpu / result.requests,
  };
}
