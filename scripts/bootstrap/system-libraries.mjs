// The one system library that the pinned Node loads and that small Debian images
// (and so many containers) leave out.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { runLogged } from './logged-command.mjs';

const aptGet = '/usr/bin/apt-get';

/**
 * Whether libatomic is missing here. Unknown counts as there: the pinned Node is tried
 * after its installation all the same.
 *
 * @param {string} [cache] what `ldconfig -p` prints; asked for if not given
 */
export function lacksLibatomic(cache = linkerCache()) {
  return process.platform === 'linux' && cache !== '' && !cache.includes('libatomic.so.1');
}

/** @returns {string} empty if it can't be had */
function linkerCache() {
  const { status, stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}

/**
 * Installs libatomic by apt-get where that can be done without a question: as root, on
 * Debian and its kin.
 *
 * @param {string} root
 * @param {string} logFolder
 * @throws {Error} naming the command, where it can't
 */
export async function installLibatomic(root, logFolder) {
  if (process.getuid?.() !== 0 || !existsSync(aptGet))
    throw new Error(
      'The pinned Node needs the system library libatomic, which is missing here. Install it and run the same command again:\n' +
        '  Debian, Ubuntu: sudo apt-get install libatomic1\n' +
        '  Fedora, RHEL:   sudo dnf install libatomic',
    );
  const command = {
    doing: 'Installing the system library libatomic1 by apt-get',
    program: aptGet,
    cwd: root,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    logFile: path.join(logFolder, 'apt-get.log'),
  };
  await runLogged({ ...command, args: ['update'] });
  await runLogged({ ...command, args: ['install', '--no-install-recommends', '-y', 'libatomic1'] });
}
