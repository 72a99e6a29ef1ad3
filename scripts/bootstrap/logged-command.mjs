// Runs a program with its output in a log file; upon failure the last lines are
// quoted. Ctrl-C and SIGTERM end the program with the bootstrap.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** A program that ended badly: what it was doing, its last lines, where the rest is. */
export class CommandFailed extends Error {
  /**
   * @param {string} doing
   * @param {string} output all that it printed
   * @param {string} logFile
   */
  constructor(doing, output, logFile) {
    super(`${doing} failed.`);
    this.output = output;
    this.logFile = logFile;
  }

  /** @param {number} count */
  lastLines(count) {
    return this.output.trimEnd().split('\n').slice(-count);
  }
}

/**
 * @param {object} command
 * @param {string} command.doing for messages: "Installing the packages"
 * @param {string} command.program
 * @param {readonly string[]} command.args
 * @param {string} command.cwd
 * @param {NodeJS.ProcessEnv} command.env
 * @param {string} command.logFile written anew
 * @returns {Promise<string>} what it printed
 * @throws {CommandFailed}
 */
export async function runLogged({ doing, program, args, cwd, env, logFile }) {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w', 0o600);
  try {
    const code = await exitOf(spawn(program, args, { cwd, env, stdio: ['ignore', log, log] }));
    const output = readFileSync(logFile, 'utf8');
    if (code !== 0) throw new CommandFailed(doing, output, logFile);
    return output;
  } finally {
    closeSync(log);
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} its exit code; 127 if it could not be started
 */
async function exitOf(child) {
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    child.kill(signal);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.once('SIGHUP', stop);
  try {
    return await new Promise((resolve) => {
      child.once('error', () => resolve(127));
      child.once('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    process.off('SIGHUP', stop);
  }
}
