import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ExperimentRecord } from '@turnout/contracts/management';
import { startApi, type ApiProcess } from './api-process.ts';
import { runTurnout } from './edge-process.ts';
import { runOnTerminal, type Answer } from './pseudo-terminal.ts';

/** Tokens that the API knows besides the admin's, by role. */
export const VIEWER = 'token-of-a-viewer-0001';
export const EDITOR = 'token-of-an-editor-001';

/** One for each part of the tests, so that none waits for another's revisions. */
export const SEEDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

/** What says yes, and why. */
export const because = ['--yes', '--reason', 'a test'];

/** An experiment with pages of its own. */
export const experiment = (key: string) => ({
  key,
  status: 'running',
  scope: { paths: [`/${key}/**`] },
  variants: [
    { key: 'control', upstream: 'site', weight: 50, control: true },
    { key: 'A', upstream: 'site', weight: 20 },
    { key: 'B', upstream: 'site', weight: 30 },
  ],
});

/** The command line beside an API, for the tests of one file: call it at its top. */
export function commandLine() {
  let running: ApiProcess | undefined;
  beforeAll(async () => {
    running = await startApi(
      {
        upstreams: { site: { url: 'http://127.0.0.1:9' } },
        default: 'site',
        experiments: SEEDS.map(experiment),
      },
      { TURNOUT_API_TOKENS: `vera:viewer:${VIEWER},edgar:editor:${EDITOR}` },
    );
  });
  afterAll(() => running?.remove());
  const api = (): ApiProcess => {
    if (running === undefined) throw new Error('Expected the API to run: call it in a test.');
    return running;
  };

  /** As an operator types it beside turnout.yaml: API and token are found in the data folder. */
  const turnout = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    input = '',
  ) => runTurnout(args, env, { cwd: api().folder, input });

  /** The whole answer of a command that must succeed; standard output must hold nothing else. */
  async function json<Whole>(...args: readonly string[]): Promise<Whole> {
    const { code, stdout, stderr } = await turnout([...args, '--json']);
    expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
    return JSON.parse(stdout);
  }

  return {
    get api() {
      return api();
    },
    turnout,
    /** On a terminal, where somebody answers. */
    asked: (args: readonly string[], answers: readonly Answer[]) =>
      runOnTerminal(args, answers, { cwd: api().folder }),
    json,
    record: (key: string) => json<ExperimentRecord>('get', key),
    /** A file in the folder where commands run. */
    file: (name: string) => join(api().folder, name),
  };
}
