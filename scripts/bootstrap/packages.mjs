// The workspace's packages, the pinned Node among them, installed by the pinned pnpm
// when the lock file or a manifest has changed.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { contentHash, readStamp } from './stamp.mjs';
import { runLogged } from './logged-command.mjs';
import { oldestRunningNode } from './platform.mjs';

/** @param {string} root */
export function packagesAreInstalled(root) {
  return readStamp(stampFile(root)) === wantedStamp(root);
}

/**
 * @param {string} root
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {string} logFolder
 */
export async function installPackages(root, { pnpm }, logFolder) {
  // NODE_ENV=production would leave out turbo, vitest and the other tools.
  const { NODE_ENV: _, ...env } = process.env;
  await runLogged({
    doing: 'Installing the packages',
    program: pnpm,
    args: [
      'install',
      '--frozen-lockfile',
      '--reporter=append-only',
      '--config.confirmModulesPurge=false',
    ],
    cwd: root,
    env,
    logFile: path.join(logFolder, 'install.log'),
  });
  writeFileSync(stampFile(root), wantedStamp(root));
}

/**
 * The Node that runs everything from here on: the pinned one if it runs on this
 * machine, else the one that runs us if it is new enough.
 *
 * @param {string} root
 * @param {'pinned' | 'own'} wanted
 * @returns {string}
 */
export function runningNode(root, wanted) {
  const pinned = path.join(root, 'node_modules', '.bin', 'node');
  if (wanted === 'pinned' && existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= oldestRunningNode) return process.execPath;
  throw new Error(
    `The pinned Node is missing: expected ${pinned}. Remove node_modules and run the same command again (are optional dependencies switched off in your npm settings?).`,
  );
}

/**
 * A binary can be there and still not run, on an old C library for one.
 *
 * @param {string} node
 */
export function assertRuns(node) {
  const { status, stderr, error } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(
    `The pinned Node does not run on this machine: ${
      String(stderr || error?.message)
        .trim()
        .split('\n')[0]
    }\n` +
      `Put Node ${oldestRunningNode} or newer on the PATH, remove optional dependency binaries with \`rm node_modules/.bin/node\`, and run the same command again.`,
  );
}

/** @param {string} root */
function stampFile(root) {
  return path.join(root, 'node_modules', '.turnout-installed');
}

/** @param {string} root */
function wantedStamp(root) {
  return contentHash(
    ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...workspaceManifests(root)].map(
      (file) => path.join(root, file),
    ),
    root,
  );
}

/**
 * The manifests that `packages:` in pnpm-workspace.yaml names, as `dir` or `dir/*`.
 *
 * @param {string} root
 * @returns {string[]}
 */
function workspaceManifests(root) {
  const workspace = readFileSync(path.join(root, 'pnpm-workspace.yaml'), 'utf8');
  const listed = /^packages:\n((?: +- .*\n)+)/m.exec(workspace)?.[1] ?? '';
  const patterns = [...listed.matchAll(/- *['"]?([^'"\s]+)/g)].map((match) => String(match[1]));
  return patterns.flatMap((pattern) => {
    const folders = pattern.endsWith('/*')
      ? readdirSync(path.join(root, pattern.slice(0, -2))).map(
          (name) => `${pattern.slice(0, -1)}${name}`,
        )
      : [pattern];
    return folders.map((folder) => `${folder}/package.json`);
  });
}
