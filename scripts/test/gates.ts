// What must hold beside the tests: format, lint, types, build, lock files.

import { closeSync } from 'node:fs';
import path from 'node:path';
import type { Command } from '../command-line.mjs';
import type { Progress } from '../progress.mjs';
import { lastLines, openLog } from '../stack/log-files.ts';
import type { Environment } from '../stack/settings.ts';
import { run } from './running.ts';

interface Gate {
  readonly name: string;
  /** Scripts, relative to the repository, with their arguments; all must succeed. */
  readonly commands: readonly (readonly string[])[];
}

const turbo = ['node_modules/turbo/bin/turbo', 'run'];
const turboOptions = ['--ui=stream', '--output-logs=new-only', '--no-color'];

const build: Gate = { name: 'build', commands: [[...turbo, 'build', ...turboOptions]] };

const all: readonly Gate[] = [
  { name: 'lock files', commands: [['scripts/test/lock-files.ts']] },
  { name: 'format', commands: [['node_modules/oxfmt/bin/oxfmt', '--check']] },
  {
    name: 'lint',
    commands: [
      ['node_modules/oxlint/bin/oxlint', '--deny-warnings'],
      ['node_modules/knip/bin/knip.js', '--no-progress'],
    ],
  },
  build,
  {
    // After the build, which writes the types of Next's routes.
    name: 'types',
    commands: [
      [...turbo, 'types', '--continue', ...turboOptions],
      ['node_modules/typescript/bin/tsc', '--noEmit'],
    ],
  },
];

export function gates(command: Command): readonly Gate[] {
  return command === 'check' ? all : [build];
}

/** @returns whether it holds; if not, what it printed is on the screen */
export async function runGate(
  { name, commands }: Gate,
  {
    root,
    logs,
    env,
    progress,
  }: { root: string; logs: string; env: Environment; progress: Progress },
): Promise<boolean> {
  const file = path.join(logs, `${name.replace(' ', '-')}.log`);
  const began = performance.now();
  progress.begin(name);
  const log = openLog(file);
  let passed = true;
  try {
    for (const args of commands) {
      const code = await run(args, { cwd: root, env, output: log.descriptor });
      passed &&= code === 0;
    }
  } finally {
    closeSync(log.descriptor);
  }
  if (passed) {
    progress.done(name, performance.now() - began);
    return true;
  }
  progress.failed(name, name);
  for (const line of lastLines(file, log.offset, 60)) progress.line(`  ${line}`);
  progress.line(`  All of it: ${file}`);
  return false;
}
