// The pinned pnpm, fetched from npm once. Its package.json and lock file are
// committed beside this (scripts/toolchain), so npm checks what it fetches
// against the integrity hashes there.

import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { contentHash, readStamp } from './stamp.mjs';
import { runLogged } from './logged-command.mjs';

/**
 * @typedef {object} Toolchain
 * @property {string} folder
 * @property {string} bin to be put first in PATH: turbo looks for `pnpm` there
 * @property {string} pnpm
 * @property {string} version of pnpm
 */

/**
 * @param {string} root of the repository
 * @returns {{ toolchain: Toolchain, isThere: boolean }}
 */
export function findToolchain(root) {
  const folder = path.join(root, '.turnout', 'toolchain');
  const bin = path.join(folder, 'bin');
  const manifest = JSON.parse(readFileSync(committed(root, 'package.json'), 'utf8'));
  return {
    toolchain: { folder, bin, pnpm: path.join(bin, 'pnpm'), version: manifest.dependencies.pnpm },
    isThere: readStamp(stampFile(folder)) === wantedStamp(root),
  };
}

/**
 * @param {string} root
 * @param {Toolchain} toolchain
 * @param {string} logFolder
 */
export async function fetchToolchain(root, { folder, bin, pnpm }, logFolder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(committed(root, file), path.join(folder, file));

  const npm = npmCommand(process.env);
  await runLogged({
    doing: 'Fetching pnpm from npm',
    program: npm.program,
    // `install`, not `ci`: the lock names the binaries of the platforms that npm
    // could see when it was made; on others pnpm's own launcher gets and verifies its binary.
    args: [...npm.args, 'install', '--prefix', folder, ...npmFlags],
    cwd: folder,
    env: process.env,
    logFile: path.join(logFolder, 'toolchain.log'),
  });

  // A launcher of ours, since pnpm's own relies on an install script that npm may
  // be told not to run.
  const launcher = path.join(folder, 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');
  writeFileSync(pnpm, `#!/bin/sh\nexec node ${shellQuoted(launcher)} "$@"\n`);
  chmodSync(pnpm, 0o755);
  writeFileSync(stampFile(folder), wantedStamp(root));
}

const npmFlags = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel=error',
];

/**
 * The npm that runs us, if npm does; else the one in PATH (`pnpm dev`).
 *
 * @param {NodeJS.ProcessEnv} env
 */
function npmCommand(env) {
  const running = env.npm_execpath;
  return running !== undefined && /\bnpm-cli\.[cm]?js$/.test(running)
    ? { program: process.execPath, args: [running] }
    : { program: 'npm', args: [] };
}

/**
 * @param {string} root
 * @param {string} file
 */
function committed(root, file) {
  return path.join(root, 'scripts', 'toolchain', file);
}

/** @param {string} folder */
function stampFile(folder) {
  return path.join(folder, 'installed');
}

/**
 * The launcher holds an absolute path: a moved repository needs a new one.
 *
 * @param {string} root
 */
function wantedStamp(root) {
  return contentHash([committed(root, 'package.json'), committed(root, 'package-lock.json')], root);
}

/** @param {string} text */
function shellQuoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
