// The workspace's packages, the pinned Node among them, installed by the pinned pnpm
// when the lock file or a manifest has changed.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
 * To be called after an installation. A pinned Node that does not run here (an old C
 * library, musl) is removed: npm puts `node_modules/.bin` first in PATH, so it would
 * be what the next `npm start` starts with.
 *
 * @param {string} root
 * @param {'pinned' | 'own'} wanted
 */
export function dropUnusableNode(root, wanted) {
  const pinned = pinnedNode(root);
  if (wanted === 'pinned' && spawnSync(pinned, ['--version']).status === 0) return;
  rmSync(pinned, { force: true });
}

/**
 * The Node that runs everything from here on: the pinned one if it is there, else the
 * one that runs us if it is new enough.
 *
 * @param {string} root
 * @returns {string}
 */
export function runningNode(root) {
  const pinned = pinnedNode(root);
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= oldestRunningNode) return process.execPath;
  throw new Error(
    `The pinned Node is missing or does not run on this machine (expected ${pinned}). ` +
      `Put Node ${oldestRunningNode} or newer on the PATH (this is ${process.versions.node}) and run the same command again; ` +
      'or, if npm is told to leave out optional dependencies, let it have them and remove node_modules.',
  );
}

/** @param {string} root */
function pinnedNode(root) {
  return path.join(root, 'node_modules', '.bin', 'node');
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
