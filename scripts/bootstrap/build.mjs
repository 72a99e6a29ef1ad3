// Builds what changed: turbo keeps a hash of each package's sources and restores
// the rest from its cache.

import path from 'node:path';
import { runLogged } from './logged-command.mjs';

/**
 * @param {string} root
 * @param {string} node
 * @param {NodeJS.ProcessEnv} env with the toolchain in PATH
 * @param {string} logFolder
 * @param {string[]} [packages] build these, and what they need; all unless given
 * @returns {Promise<string>} what was done, for the progress line
 */
export async function build(root, node, env, logFolder, packages = []) {
  const output = await runLogged({
    doing: 'Building the frontends',
    program: node,
    args: [
      path.join(root, 'node_modules', 'turbo', 'bin', 'turbo'),
      'run',
      'build',
      ...packages.map((name) => `--filter=${name}`),
      '--ui=stream',
      '--output-logs=new-only',
      '--no-color',
    ],
    cwd: root,
    env,
    logFile: path.join(logFolder, 'build.log'),
  });
  const cached = /Cached:\s+(\d+) cached, (\d+) total/.exec(output);
  if (!cached) return 'frontends built';
  const [, fromCache, total] = cached.map(Number);
  return fromCache === total
    ? 'frontends unchanged'
    : `frontends built (${Number(total) - Number(fromCache)} of ${total} anew)`;
}
