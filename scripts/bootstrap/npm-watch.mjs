// `npm start` is npm, maybe a shell, and us. When npm is killed outright nobody
// tells us; so we look, once a second, whether it is still there.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const everyMs = 1000;

/**
 * @param {() => void} act called once, when the npm (or pnpm) that runs us has gone
 * @returns {{ stop: () => void }}
 */
export function whenNpmIsGone(act) {
  // Without npm above us, a vanished parent means nothing: `node scripts/bootstrap.mjs &`
  // may outlive its shell.
  if (process.env.npm_lifecycle_event === undefined) return { stop: () => undefined };
  const parent = process.ppid;
  const npm = npmAbove(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(npm)) return;
    clearInterval(timer);
    act();
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/**
 * The parent, or its parent if a shell stands between.
 *
 * @param {number} parent
 * @returns {number}
 */
function npmAbove(parent) {
  const { name, above } = describe(parent);
  return above > 1 && /(?:^|\/)-?(?:sh|dash|bash|zsh|ksh)$/.test(name) ? above : parent;
}

/**
 * @param {number} pid
 * @returns {{ name: string, above: number }} its program and its parent
 */
function describe(pid) {
  try {
    // "pid (comm) state ppid …"; comm may hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const close = stat.lastIndexOf(')');
    return {
      name: stat.slice(stat.indexOf('(') + 1, close),
      above: Number(stat.slice(close + 2).split(' ')[1]),
    };
  } catch {
    const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], {
      encoding: 'utf8',
    });
    const [above = '', name = ''] = (stdout ?? '').trim().split(/\s+(.*)/);
    return { name, above: Number(above) || 0 };
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
