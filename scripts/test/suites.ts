// Runs vitest over all projects and reads its counts.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../stack/settings.ts';
import { countsOf, type Counts } from './counts.ts';
import { run } from './running.ts';

/** @param rest passed on to vitest: file names, `-t`, `--project` */
export async function runSuites(
  rest: readonly string[],
  { root, env }: { root: string; env: Environment },
): Promise<Counts> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'turnout-test-'));
  const report = path.join(folder, 'report.json');
  try {
    const args = [
      path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...rest,
    ];
    const code = await run(args, { cwd: root, env, output: 'inherit' });
    return countsOf(parsed(report), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Undefined if vitest ended before it could write it. */
function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
