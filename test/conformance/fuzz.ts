import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { assert, asyncProperty } from 'fast-check';
import { startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { checkAnswer, checkRequests, mutatedAnswers, mutatedRequests } from './differential.ts';

/*
 * Differential fuzzing of the edge, for as long as one likes:
 *
 *     pnpm fuzz --minutes 10
 *     pnpm fuzz --seed 42 --runs 1000
 *
 * Prints the smallest bytes that readers disagree on, and the seed that finds them again.
 */

/** What is fuzzed: an edge with one upstream. */
export interface Subject {
  readonly port: number;
  readonly upstream: RawUpstream;
  readonly edge: EdgeProcess;
  close(): Promise<void>;
}

export async function startSubject(): Promise<Subject> {
  const upstream = new RawUpstream();
  const url = `http://127.0.0.1:${await upstream.listen()}`;
  const edge = await startEdge({
    workers: 1,
    config: {
      public: { port: 0, hosts: ['fuzz.test'] },
      upstreams: { site: { url, timeouts: { firstByte: '1s', idle: '1s', client: '1s' } } },
      default: 'site',
      drain: '500ms',
    },
  });
  return {
    port: Number(new URL(edge.url).port),
    upstream,
    edge,
    async close() {
      upstream.close();
      await edge.remove();
    },
  };
}

/** @throws {Error} with the smallest counterexample */
export async function fuzz(
  { port, upstream }: Subject,
  settings: { readonly seed: number; readonly numRuns: number },
): Promise<void> {
  await assert(
    asyncProperty(mutatedRequests, (bytes) => checkRequests(port, upstream, bytes)),
    settings,
  );
  await assert(
    asyncProperty(mutatedAnswers, (bytes) => checkAnswer(port, upstream, bytes)),
    settings,
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: '1' },
    },
  });
  const subject = await startSubject();
  const deadline = Date.now() + Number(values.minutes) * 60_000;
  const numRuns = Number(values.runs);
  try {
    let done = 0;
    do {
      const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
      await fuzz(subject, { seed, numRuns });
      done += 2 * numRuns;
      process.stdout.write(`${done} messages, seed ${seed}: every reader agrees\n`);
    } while (values.seed === undefined && Date.now() < deadline);
  } finally {
    await subject.close();
  }
}
