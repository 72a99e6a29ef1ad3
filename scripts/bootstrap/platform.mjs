// Which machines the pinned Node comes ready-made for, and what to say on others.

import process from 'node:process';

/** Node from this major on runs Turnout, if the pinned one is not to be had. */
export const oldestRunningNode = 24;

/** `<platform>-<arch>` of the binaries in the root package.json's optionalDependencies. */
const withPinnedNode = new Set(['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64']);

/**
 * @typedef {object} Machine
 * @property {string} platform `process.platform`
 * @property {string} arch `process.arch`
 * @property {boolean} musl whether its C library is musl (Alpine), on which glibc binaries do not run
 * @property {string} nodeVersion of the Node that runs the bootstrap
 */

/** @returns {Machine} */
export function thisMachine() {
  return {
    platform: process.platform,
    arch: process.arch,
    musl: process.platform === 'linux' && glibcVersion() === undefined,
    nodeVersion: process.versions.node,
  };
}

/**
 * Where the Node that runs Turnout comes from.
 *
 * @param {Machine} machine
 * @returns {{ node: 'pinned' | 'own' } | { problem: string }}
 */
export function nodeFor({ platform, arch, musl, nodeVersion }) {
  if (platform === 'win32')
    return {
      problem:
        'Turnout runs on Linux and macOS. On Windows, use WSL (https://learn.microsoft.com/windows/wsl/install) and run the same command in it.',
    };
  if (withPinnedNode.has(`${platform}-${arch}`) && !musl) return { node: 'pinned' };
  if (Number(nodeVersion.split('.')[0]) >= oldestRunningNode) return { node: 'own' };
  return {
    problem:
      `No ready-made Node is on npm for ${platform}-${arch}${musl ? ' with musl' : ''}. ` +
      `Put Node ${oldestRunningNode} or newer on the PATH (this is ${nodeVersion}) and run the same command again.`,
  };
}

/** @returns {string | undefined} undefined on musl */
function glibcVersion() {
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (
    process.report.getReport()
  );
  return report.header?.glibcVersionRuntime;
}
